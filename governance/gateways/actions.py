"""Set how Stillwatch reaches a gateway. Secrets are stored encrypted, and no audit entry contains one."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from django.db import transaction

from accounts.models import Account
from accounts.normalization import is_nothing, normalize_id
from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.gateways.litellm.admin_api import LiteLlm, base_url
from governance.gateways.models import Gateway, GatewayInstance, LiteLlmPush
from governance.gateways.status import PUSHED
from governance.platform.encryption import encrypt_secret
from governance.platform.transactions import retried_transaction

HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


class UnusableNameError(Exception):
    """A name of a gateway that cannot be shown as it is."""


class UnusableCanaryError(Exception):
    """Says in words why the canary cannot be as described."""


def connect_litellm(name: str, url: str, *, key: str, by: Actor, now: datetime) -> Gateway:
    """Have blocks pushed to the LiteLLM at this address, from the first change on.

    Raises LiteLlmError and UnusableNameError.

    What was blocked at an earlier address stays blocked there until an operator of that LiteLLM unblocks it.
    """
    url = base_url(url)
    with LiteLlm(url, key=key) as client:
        client.check()
    with transaction.atomic():
        gateway = _gateway(name, now=now)
        if gateway.litellm_url != url:
            gateway.pushed_sequence, gateway.compared_at = 0, None
            LiteLlmPush.objects.filter(gateway=gateway).delete()
            GatewayInstance.objects.filter(gateway=gateway, instance=PUSHED).delete()
            GatewayInstance.objects.create(gateway=gateway, instance=PUSHED, started_at=now, seen_at=now, sequence=0)
        gateway.litellm_url, gateway.litellm_key = url, encrypt_secret(key)
        gateway.save(update_fields=["litellm_url", "litellm_key", "pushed_sequence", "compared_at"])
        record(Verb.GATEWAY_LITELLM_CONNECTED, subject=("gateway", name), by=by, now=now, details={"address": url})
    return gateway


@retried_transaction
def set_canary(
    name: str, account: str, url: str, *, headers: Mapping[str, str], body: str = "", by: Actor, now: datetime
) -> Gateway:
    """Look every five minutes, by this request of this account, whether the gateway obeys.

    Raises UnusableCanaryError and UnusableNameError.

    The account is blocked for moments each time: it must be the seller's own, and the canary of no other gateway.
    """
    _check_request(url, headers)
    if is_nothing(account):
        raise UnusableCanaryError(f"{account!r} means no account: name an account of your own.")
    account = normalize_id(account)
    gateway = _gateway(name, now=now)
    owner, _ = Account.objects.get_or_create(external_id=account, defaults={"first_seen_at": now})
    if Gateway.objects.filter(canary_account=owner).exclude(pk=gateway.pk).exists():
        raise UnusableCanaryError(f"{account} is the canary of another gateway: use another account.")
    gateway.canary_account, gateway.canary_url, gateway.canary_body = owner, url, body
    gateway.canary_headers = encrypt_secret(json.dumps(dict(headers)))
    gateway.probe_due_at = now
    gateway.save(
        update_fields=["canary_account", "canary_url", "canary_body", "canary_headers", "probe_due_at"],
    )
    details = {"account": account, "address": url.partition("?")[0], "headers": sorted(headers)}
    record(Verb.GATEWAY_CANARY_SET, subject=("gateway", name), by=by, now=now, details=details)
    return gateway


def _check_request(url: str, headers: Mapping[str, str]) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and url.isascii()
    except ValueError:
        usable = False
    if not usable or parts.username or parts.fragment or len(url) > 300 or not url.isprintable() or " " in url:
        raise UnusableCanaryError("The address must be https://… or http://…, without a user, and at most 300 long.")
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name) or not HEADER_VALUE.fullmatch(value):
            raise UnusableCanaryError("Write a header as Name: value, on one line.")


def _gateway(name: str, *, now: datetime) -> Gateway:
    if not name.strip() or not name.isprintable():
        raise UnusableNameError("Use printable characters on one line for the name of a gateway.")
    gateway, _ = Gateway.objects.get_or_create(name=name, defaults={"created_at": now})
    return Gateway.objects.select_for_update().get(pk=gateway.pk)
