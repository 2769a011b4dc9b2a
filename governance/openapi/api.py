"""The description of the API, for programs."""

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.openapi.document import openapi_document
from governance.web.authentication import ANY_SCOPE


class OpenApiView(APIView):
    """`GET /api/v1/openapi.json`: this API as OpenAPI 3.1, for any service key, whatever its scopes."""

    scopes = {"GET": ANY_SCOPE}

    @extend_schema(
        operation_id="get_openapi",
        summary="Read the description of the API",
        description="This document, as OpenAPI 3.1. Any service key may read it.",
        tags=["Description"],
        responses={200: {"type": "object", "required": ["openapi", "info", "paths"], "additionalProperties": True}},
        examples=[OpenApiExample("Its beginning", {"openapi": "3.1.0", "info": {"title": "Stillwatch"}, "paths": {}})],
    )
    def get(self, request: Request) -> Response:
        return Response(openapi_document())
