"""Encryption, under SECRET_KEY, of stored secrets that are needed again, such as the key of a gateway's admin."""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes


class DecryptionError(Exception):
    """A stored secret cannot be decrypted, since SECRET_KEY has changed."""

    def __init__(self) -> None:
        super().__init__("A stored secret cannot be read with the current SECRET_KEY: enter it again.")


def encrypt_secret(secret: str) -> bytes:
    return _fernet().encrypt(secret.encode())


def decrypt_secret(encrypted: bytes) -> str:
    """Raises SealError."""
    try:
        return _fernet().decrypt(bytes(encrypted)).decode()
    except InvalidToken as error:
        raise DecryptionError from error


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(_derive_key(key)) for key in [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]])


def _derive_key(key: str | bytes) -> bytes:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"stillwatch sealed secrets").derive(force_bytes(key))
    return base64.urlsafe_b64encode(derived)
