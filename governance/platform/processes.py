"""The command lines of the processes of an installation: `manage.py up`, the benchmarks and the tests run the same."""

import sys

PYTHON = (sys.executable, "-m")
# Milliseconds until the head of a request has to be there; bodies have deadlines of their own.
HEAD_DEADLINE = 10_000
# Open connections of a process: of the check polls, streams and idle ones; of the web server slow and idle ones.
CONNECTIONS = 16_384


def check_server_command(*, host: str, port: int, workers: int = 2, log_level: str = "error") -> list[str]:
    """The check and the feed. A worker that dies is replaced while the others answer."""
    return [*_granian(host, port, workers, log_level), "governance.check:application"]


def web_command(*, host: str, port: int, workers: int = 2, log_level: str = "error") -> list[str]:
    """The pages, and the API of everybody but gateways."""
    return [*_granian(host, port, workers, log_level), "governance.asgi:application"]


def _granian(host: str, port: int, workers: int, log_level: str) -> list[str]:
    # Over HTTP/2 one connection may leave a hundred answers unread. Proxies ask by HTTP/1.1 in any case.
    command = [*PYTHON, "granian", "--interface", "asgi", "--http", "1", "--no-ws", "--host", host, "--port", str(port)]
    command += ["--workers", str(workers), "--workers-kill-timeout", "5", "--respawn-failed-workers"]
    command += ["--backlog", "2048", "--backpressure", str(CONNECTIONS)]
    return [*command, "--http1-header-read-timeout", str(HEAD_DEADLINE), "--log-level", log_level]


def worker_command(*, log_level: str) -> list[str]:
    """Celery's worker, for what Stillwatch does itself."""
    return [*_worker(log_level), "--concurrency", "2"]


def scheduler_command(*, timetable: str, log_level: str) -> list[str]:
    """Celery's beat, as a process of its own: a worker would not notice that it has ended."""
    return [*_celery("beat", log_level), "--schedule", timetable, "--pidfile="]


def courier_command(*, log_level: str) -> list[str]:
    """Celery's worker for what waits for others."""
    queue = ["--queues", "delivery", "--pool", "threads", "--concurrency", "8", "--hostname", "courier@%h"]
    return [*_worker(log_level), *queue]


def _worker(log_level: str) -> list[str]:
    return [*_celery("worker", log_level), "--without-gossip", "--without-mingle"]


def _celery(program: str, log_level: str) -> list[str]:
    python = [sys.executable, "-W", "ignore:You're running the worker"]  # under root Celery says so at length
    return [*python, "-m", "celery", "--quiet", "-A", "governance", program, "--loglevel", log_level]
