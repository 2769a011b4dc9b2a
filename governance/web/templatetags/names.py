from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from governance.web import visible

register = template.Library()


@register.filter
def isolated(value: object) -> SafeString | str:
    """An id or a name of a customer: its direction stays its own, and what cannot be seen is written out."""
    return format_html("<bdi>{}</bdi>", visible.escape_invisible(str(value))) if value else ""


@register.filter(name="visible")
def on_one_line(value: object) -> str:
    """The same as text alone, for titles and attributes."""
    return visible.escape_invisible(str(value))


@register.filter
def visible_lines(value: object) -> str:
    """What a customer wrote, of several lines."""
    return visible.escape_invisible_lines(str(value))
