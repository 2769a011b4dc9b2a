"""Many gateways' clients in one process: `python -m … URL SERVICE_KEY FOLDER CLIENTS CUTS_A_SECOND`.

They follow until the input ends, their connections cut at random, and then say when each knew what.
"""

import json
import logging
import random
import sys
import threading
import time
from pathlib import Path

from stillwatch_gateway import Gateway


def follow(url: str, key: str, folder: str, clients: int, cuts: float) -> None:
    logging.disable()
    known: list[list[tuple[int, float]]] = [[] for _ in range(clients)]

    def noting(place: int) -> Gateway:
        def note(sequence: int) -> None:
            known[place].append((sequence, time.monotonic()))

        return Gateway(url, key, Path(folder) / str(place), instance=f"{folder}-{place}"[-100:], on_change=note)

    gateways = [noting(place) for place in range(clients)]
    for gateway in gateways:
        gateway.start(wait=30)
    print("following", flush=True)  # noqa: T201 - the parent process reads it
    ended = threading.Event()
    dice = random.Random(folder)  # noqa: S311 - seeded, no secrets

    def cut() -> None:
        while not ended.wait(1 / cuts):
            dice.choice(gateways).cut()

    if cuts:
        threading.Thread(target=cut, daemon=True).start()
    last = int(sys.stdin.readline())
    until = time.monotonic() + 30
    while any(gateway.sequence < last for gateway in gateways) and time.monotonic() < until:
        time.sleep(0.05)
    ended.set()
    reached = [gateway.sequence for gateway in gateways]
    json.dump({"known": known, "reached": reached, "restricted": [len(g) for g in gateways]}, sys.stdout)
    sys.stdout.flush()


if __name__ == "__main__":
    follow(sys.argv[1], sys.argv[2], sys.argv[3], clients=int(sys.argv[4]), cuts=float(sys.argv[5]))
