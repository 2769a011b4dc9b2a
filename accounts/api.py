"""Customers, for programs that read them."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from accounts.models import Account, ApiKey, Organisation
from accounts.serializers import (
    AccountQuery,
    AccountRow,
    KeyQuery,
    KeyRow,
    OrganisationQuery,
    OrganisationRow,
)
from governance.staff.models import ServiceKey
from governance.web.row_lists import RowsView, describe_rows, filtered

SEEN = "2026-03-12T23:40:00Z"


@describe_rows(
    summary="List accounts",
    description="By your ids. Addresses, cards and e-mail domains of customers are not shown.",
    example={
        "account": "acct_1042",
        "organisation": "org_77",
        "status": "open",
        "plan": "team",
        "country": "NL",
        "created_at": "2026-03-12T23:32:51Z",
        "first_seen_at": SEEN,
        "closed_at": None,
        "erased_at": None,
    },
)
class AccountsView(RowsView):
    """`GET /api/v1/accounts`."""

    scopes = {"GET": ServiceKey.Scope.ACCOUNTS_READ}
    list_name, query, row, order = "accounts", AccountQuery, AccountRow, ("external_id",)

    def rows(self, asked: Mapping[str, Any]) -> QuerySet[Account]:
        filters = {"account": "external_id", "organisation": "organisation__external_id"}
        return filtered(Account.objects.all(), asked, filters, "status", "plan", "country")


@describe_rows(
    summary="List organisations",
    description="The customer companies, by your ids.",
    example={"organisation": "org_77", "name": "Harbour Ltd", "erased_at": None},
)
class OrganisationsView(RowsView):
    """`GET /api/v1/organisations`."""

    scopes = {"GET": ServiceKey.Scope.ACCOUNTS_READ}
    list_name, query, row, order = "organisations", OrganisationQuery, OrganisationRow, ("external_id",)

    def rows(self, asked: Mapping[str, Any]) -> QuerySet[Organisation]:
        return filtered(Organisation.objects.all(), asked, {"organisation": "external_id"})


@describe_rows(
    summary="List API keys",
    description="The ids of customers' API keys and whose they are, never a key or its digest.",
    example={
        "api_key": "key_5521",
        "account": "acct_1042",
        "first_seen_at": SEEN,
        "tied_by": "register",
        "contested_by": None,
        "contested_at": None,
    },
)
class KeysView(RowsView):
    """`GET /api/v1/keys`."""

    scopes = {"GET": ServiceKey.Scope.ACCOUNTS_READ}
    list_name, query, row, order = "keys", KeyQuery, KeyRow, ("external_id",)

    def rows(self, asked: Mapping[str, Any]) -> QuerySet[ApiKey]:
        return filtered(ApiKey.objects.all(), asked, {"api_key": "external_id", "account": "account__external_id"})
