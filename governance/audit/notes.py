"""Sign checkpoints of the log as C2SP signed-note and tlog-checkpoint say. Pure.

What is signed is verified by stillwatch_verify.py, which outsiders use too.
"""

import base64
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.audit.stillwatch_verify import ED25519, VerifierKey, key_id


class LogKey:
    """A key that signs the log of this name.

    Args:
        name: the origin line of the log; it has no blanks and no plus.
        seed: 32 bytes in URL-safe base64, without padding.

    Raises ValueError for a name or a seed that is none.
    """

    def __init__(self, name: str, seed: str) -> None:
        if not name or "+" in name or any(letter.isspace() or not letter.isprintable() for letter in name):
            raise ValueError("AUDIT_ORIGIN must be a name without blanks and plus, such as example.com/log.")
        try:
            decoded = base64.urlsafe_b64decode(seed + "=" * (-len(seed) % 4))
            self._private = Ed25519PrivateKey.from_private_bytes(decoded)
        except ValueError as error:
            raise ValueError("AUDIT_KEY must hold 32 bytes in URL-safe base64 for each key.") from error
        public = self._private.public_key().public_bytes_raw()
        self.verifier = VerifierKey(name, key_id(name, ED25519, public), ED25519, public)

    def sign(self, text: str) -> str:
        """Return the signature line for a text that ends with a newline."""
        signature = self.verifier.key_id + self._private.sign(text.encode())
        return f"— {self.verifier.name} {base64.b64encode(signature).decode()}\n"


def format_key(key: VerifierKey) -> str:
    """Return a verifier key as text: name+id+key."""
    encoded = base64.b64encode(bytes([key.kind]) + key.public_key).decode()
    return f"{key.name}+{key.key_id.hex()}+{encoded}"


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def sign_checkpoint(size: int, root: bytes, keys: Sequence[LogKey]) -> str:
    """Return a checkpoint that every key has signed. The first gives its origin."""
    text = checkpoint_text(keys[0].verifier.name, size, root)
    return f"{text}\n{''.join(key.sign(text) for key in keys)}"
