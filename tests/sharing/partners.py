"""Partners, refused campaigns, and what a partner sends."""

import json
import uuid
from datetime import timedelta
from typing import Any

from accounts.models import Account
from governance.campaigns.models import AccountTrait, Campaign
from governance.campaigns.traits import TraitKind
from governance.sharing.actions.partners import PartnerSecrets, add_partner
from governance.sharing.actions.shares import propose_share, release_share
from governance.sharing.keyed_digests import SharedKey
from governance.sharing.models import Partner, Share, Tlp
from governance.staff.roles import Role
from governance.usage.profiles.build import address_digest
from tests.factories import MACHINE, NOW, account, campaign_of, person, restriction

KEY = SharedKey(1, bytes(range(32)))


def partner(
    name: str = "North Lab", *, receives: bool = True, sends: bool = True, tlp: Tlp = Tlp.AMBER, **more: Any
) -> PartnerSecrets:
    return add_partner(name, receives=receives, sends=sends, tlp=tlp, by=MACHINE, now=NOW, **{"key": KEY, **more})


def refused_campaign(number: int = 3) -> Campaign:
    """Of accounts that share a card and a domain, each with an address of its own, all of them blocked."""
    members = [
        account(
            f"acct_mill_{place}",
            payment_fingerprint="card_mill",
            email_domain="mill.example",
            signup_ip=f"203.0.113.{place}",
        )
        for place in range(1, number + 1)
    ]
    for one in members:
        restriction(one)
    return campaign_of(*members)


def trait(of: Account, kind: TraitKind, digest: int, *, uses: int = 9) -> AccountTrait:
    return AccountTrait.objects.create(account=of, kind=kind, digest=digest, uses=uses, share=0.9)


def uses_address(of: Account, address: str) -> AccountTrait:
    return trait(of, TraitKind.ADDRESS, address_digest(address))


def released_share(campaign: Campaign, to: Partner, *, tlp: Tlp = Tlp.AMBER) -> Share:
    """Proposed by Jonas, released by Ada."""
    share = propose_share(
        campaign, to, tlp=tlp, reason="They move on.", by=person("Jonas Lindqvist", role=Role.LEAD), now=NOW
    )
    return release_share(share, by=person("Ada Moreau", role=Role.ADMIN), now=NOW)


def indicator(pattern: str, **members: Any) -> dict[str, Any]:
    """A STIX indicator as a partner sends it."""
    at = NOW.isoformat().replace("+00:00", ".000Z")
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid.uuid4()}",
        "created": at,
        "modified": at,
        "pattern": pattern,
        "pattern_type": "stix",
        "valid_from": at,
        **members,
    }


def card_pattern(card: str, key: SharedKey = KEY) -> str:
    return f"[x-stillwatch-digest:card = '{key.digest('card', card)}']"


def later(**after: int) -> str:
    """As STIX writes a time."""
    return (NOW + timedelta(**after)).isoformat().replace("+00:00", ".000Z")


def bundle(*objects: Any) -> bytes:
    return json.dumps({"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": objects}).encode()
