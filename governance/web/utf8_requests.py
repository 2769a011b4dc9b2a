"""Requests whose address and form are read as UTF-8, whatever charset the client names."""

from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters


class Utf8Request(WSGIRequest):
    """Django reads the query too in the charset of the body, and cannot answer where Python's codec is for no text."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))


class Utf8Handler(WSGIHandler):
    request_class = Utf8Request


def wsgi_application() -> WSGIHandler:
    """Return Django as a WSGI application, as `django.core.wsgi.get_wsgi_application` does."""
    django.setup(set_prefix=False)
    return Utf8Handler()
