"""One attempt: whom it trusts, and how long it waits."""

import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from governance.webhooks import sending
from governance.webhooks.sending import PostResult, post_once
from tests.webhooks.receiver import receiving, trickling

NOW = datetime(2026, 11, 2, 9, 14, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _loopback_is_ours(settings: Any) -> None:
    settings.WEBHOOK_PRIVATE_NETWORKS = ["127.0.0.0/8", "::1/128"]


def post(url: str) -> PostResult:
    return post_once(url, "{}", {}, now=NOW)


def identity(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """What a server of this name shows, and the certificate that signs for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    signed, private = folder / "certificate.pem", folder / "key.pem"
    signed.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(signed, private)
    return shown, signed


class TestACertificate:
    def test_that_is_trusted_is_taken(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        shown, signed = identity(tmp_path, "localhost")
        monkeypatch.setenv("SSL_CERT_FILE", str(signed))

        with receiving(shown) as receiver:
            assert post(receiver.url).delivered

    def test_of_another_name_is_not(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        shown, signed = identity(tmp_path, "elsewhere.example")
        monkeypatch.setenv("SSL_CERT_FILE", str(signed))

        with receiving(shown) as receiver:
            assert post(receiver.url).error == "Its TLS certificate is not valid."
            assert receiver.received == []

    def test_that_nobody_knows_is_not(self, tmp_path: Path) -> None:
        shown, _ = identity(tmp_path, "localhost")

        with receiving(shown) as receiver:
            assert post(receiver.url).error == "Its TLS certificate is not valid."


class TestAName:
    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
    def test_that_leads_to_a_private_address_is_refused(self, settings: Any, host: str) -> None:
        settings.WEBHOOK_PRIVATE_NETWORKS = []

        assert "not public" in post(f"https://{host}/hook").error

    def test_that_leads_to_a_private_address_as_well_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ("93.184.215.14", "10.0.0.1")]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)

        assert post("https://hooks.example.com/").error == "It leads to an address that is not public."


class TestAnAnswer:
    @pytest.mark.parametrize(
        "beginning",
        [
            b"HTTP/1.0 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 65536\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nX-Long: ",
        ],
    )
    def test_that_never_ends_is_none(self, beginning: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sending, "WHOLE_SECONDS", 0.5)

        with trickling(beginning) as url:
            outcome = post(url)

        assert outcome == PostResult(None, "No answer in time.")

    @pytest.mark.parametrize(
        ("asked", "seconds"),
        [
            ("600", 600),
            ("Mon, 02 Nov 2026 09:24:00 GMT", 600),
            ("Mon, 02 Nov 2026 09:00:00 GMT", 0),
            ("9" * 400, 3600),
            ("soon", None),
            ("-1", None),
        ],
    )
    def test_may_ask_for_quiet_by_number_or_by_date(self, asked: str, seconds: int | None) -> None:
        with receiving() as receiver:
            receiver.statuses, receiver.headers = [503], {"Retry-After": asked}

            assert post(receiver.url).retry_after == seconds
