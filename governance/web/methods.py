"""The answer of an endpoint to OPTIONS."""

from typing import Any

from rest_framework.metadata import BaseMetadata
from rest_framework.request import Request


class ScopesMetadata(BaseMetadata):
    """The methods that an endpoint takes, each with the scope that it needs."""

    def determine_metadata(self, request: Request, view: object) -> dict[str, Any]:
        return {"methods": getattr(view, "scopes", {})}
