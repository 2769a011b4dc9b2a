"""The keys that Stillwatch shares with each partner, as they are stored: encrypted under SECRET_KEY."""

import json
from collections.abc import Sequence
from typing import Final

from governance.platform.encryption import decrypt_secret, encrypt_secret
from governance.sharing.keyed_digests import SharedKey
from governance.sharing.models import Partner

# Indicators made with older keys are over by then.
KEYS_KEPT: Final = 4


def encrypt_newest_keys(newest_first: Sequence[SharedKey]) -> bytes:
    """Return the newest KEYS_KEPT of these as they are stored."""
    return encrypt_secret(json.dumps([str(key) for key in newest_first[:KEYS_KEPT]]))


def shared_keys(partner: Partner) -> list[SharedKey]:
    """The newest first. Raises DecryptionError."""
    return [SharedKey.parse(text) for text in json.loads(decrypt_secret(bytes(partner.shared_keys)))]


def newest_key(partner: Partner) -> SharedKey:
    """Raises DecryptionError."""
    return shared_keys(partner)[0]
