"""A time-stamp authority of its own, by OpenSSL: `openssl ts` signs, a small server in the test answers."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from tests.servers import Quiet, serving

SETTINGS = """
[req]
distinguished_name = name
prompt = no
[name]
CN = authority of the tests
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
[stamping]
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[tsa]
default_tsa = stamps
[stamps]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/signer.pem
signer_key = {folder}/signer.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def make_authority(folder: Path) -> Path:
    """Make keys and certificates; return the root."""
    folder.mkdir(parents=True)
    settings, root, signer = folder / "openssl.cnf", folder / "root.pem", folder / "signer.pem"
    settings.write_text(SETTINGS.format(folder=folder))
    (folder / "serial").write_text("01\n")
    new = ("req", "-config", settings, "-newkey", "rsa:2048", "-nodes")
    openssl(*new, "-x509", "-extensions", "root", "-keyout", folder / "root.key", "-out", root, "-days", "9999")
    openssl(*new, "-subj", "/CN=signer", "-keyout", folder / "signer.key", "-out", folder / "signer.csr")
    ca = ("-CA", root, "-CAkey", folder / "root.key", "-days", "9998", "-extfile", settings, "-extensions", "stamping")
    openssl("x509", "-req", "-in", folder / "signer.csr", "-out", signer, *ca)
    return root


@contextmanager
def running_authority(folder: Path) -> Iterator[str]:
    """Answer requests for time stamps; yield the address."""

    class Authority(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query, reply = folder / "query.tsq", folder / "reply.tsr"
            query.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            openssl("ts", "-reply", "-config", folder / "openssl.cnf", "-queryfile", query, "-out", reply)
            content = reply.read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with serving(HTTPServer(("127.0.0.1", 0), Authority)) as server:
        yield f"http://127.0.0.1:{server.server_port}/"
