"""Texts that name things of a program in backticks, as docs do."""

from itertools import cycle

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def with_code(text: str) -> SafeString:
    """Show what stands in backticks as code."""
    tags = cycle(("{}", "<code>{}</code>"))
    return format_html_join("", "{}", ((format_piece(next(tags), piece),) for piece in text.split("`")))


def format_piece(tag: str, piece: str) -> SafeString:
    return format_html_join("", tag, [(piece,)])
