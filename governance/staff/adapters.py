"""How django-allauth works here. Named by settings: it has no page of ours, it keeps and checks second factors."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest

from governance.platform.encryption import decrypt_secret, encrypt_secret


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: an admin adds people."""
        return False


class SecondFactorAdapter(DefaultMFAAdapter):
    def get_totp_issuer(self) -> str:
        """Return what an authenticator app shows above the code."""
        return "Stillwatch"

    def encrypt(self, text: str) -> str:
        return encrypt_secret(text).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Raises DecryptionError."""
        return decrypt_secret(encrypted_text.encode())
