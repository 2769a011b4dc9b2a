"""The API behind a gateway: it serves everything, and keeps what reached it."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

PATIENCE = 30.0  # seconds


class Upstream:
    """`heads` are the request lines and headers of what reached it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.heads: list[bytes] = []


@contextmanager
def serving() -> Iterator[Upstream]:
    class Handler(socketserver.StreamRequestHandler):
        timeout = PATIENCE

        def handle(self) -> None:
            with suppress(OSError):
                head = b"".join(iter(self.rfile.readline, b"\r\n"))
                upstream.heads.append(head)
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nserved")
                while self.rfile.read1(2**16):  # a gateway is to see no reset while it still sends
                    pass

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        upstream = Upstream(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield upstream
        finally:
            server.shutdown()
            thread.join()
