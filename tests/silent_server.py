"""A PostgreSQL that hangs, whose place another takes: connected clients hear nothing, and new ones are served."""

import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from django.db import connection

CHUNK: Final = 2**16


class Passage:
    """Between clients and the server of the tests, at a socket of its own in `folder`."""

    def __init__(self, folder: Path, target: str) -> None:
        self.folder, self._target = folder, target
        self.connections = 0
        self._generation = 0
        self._open: list[socket.socket] = []
        self._passing: list[threading.Thread] = []
        self._listens = socket.socket(socket.AF_UNIX)
        self._listens.bind(str(folder / Path(target).name))
        self._listens.listen(50)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def hang(self) -> None:
        """Nobody who is connected now is answered any more; their connections stay open."""
        self._generation += 1

    def close(self) -> None:
        _end(self._listens)
        self._thread.join()
        for one in self._open:
            _end(one)
        for thread in self._passing:
            thread.join()
        for one in (self._listens, *self._open):
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listens.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._target)
                self.connections += 1
                self._open += [client, server]
                for ends in ((client, server), (server, client)):
                    passing = threading.Thread(target=self._pass_on, args=(*ends, self._generation), daemon=True)
                    self._passing.append(passing)
                    passing.start()

    def _pass_on(self, source: socket.socket, target: socket.socket, generation: int) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                if generation == self._generation:
                    target.sendall(data)
        if generation == self._generation:
            _end(source)
            _end(target)


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)


@contextmanager
def passage() -> Iterator[Passage]:
    """Django's new connections, and those that take their parameters from it, pass through; the old one is closed."""
    settings = connection.settings_dict
    host = settings["OPTIONS"].get("host") or settings["HOST"]
    port = settings["PORT"] or "5432"
    before = dict(settings["OPTIONS"])
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        made = Passage(Path(folder), f"{host}/.s.PGSQL.{port}")
        connection.close()
        settings["OPTIONS"]["host"] = folder
        try:
            yield made
        finally:
            settings["OPTIONS"].clear()
            settings["OPTIONS"].update(before)
            connection.close()
            made.close()
