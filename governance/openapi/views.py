"""The description of the API, for people."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from governance.openapi.document import openapi_document
from governance.openapi.reference import described_groups, described_webhooks


@require_safe
def reference(request: HttpRequest) -> HttpResponse:
    """Every operation of the API with its scope, parameters, examples and answers."""
    document = openapi_document()
    described = {"groups": described_groups(document), "webhooks": described_webhooks(document)}
    return render(request, "openapi/reference.html", described)


@require_safe
def download(_request: HttpRequest) -> HttpResponse:
    """The document, for programs that read it from a file."""
    return JsonResponse(openapi_document(), headers={"Content-Disposition": 'attachment; filename="openapi.json"'})
