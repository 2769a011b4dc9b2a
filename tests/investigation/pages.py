"""Addresses of accounts and organisations, and what is found on the page of the search."""

from typing import Any

from django.test import Client
from django.urls import reverse


def account_address(external_id: str, what: str = "account") -> str:
    return reverse(f"investigation:{what}", args=[external_id])


def organisation_address(external_id: str) -> str:
    return reverse("investigation:organisation", args=[external_id])


def found(client: Client, text: str, **query: str) -> dict[str, list[str]]:
    """What the search finds, by kind: external ids, and of records what they are."""
    results = client.get("/search/", {"q": text} | query).context["results"]
    return {str(group.kind): [_name(row.item) for row in group.rows] for group in results.groups}


def _name(item: Any) -> str:
    return str(getattr(item, "external_id", None) or f"{item.kind} {item.identifier}")
