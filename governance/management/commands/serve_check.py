"""`manage.py serve_check`: the process that gateways ask, with the deadlines and limits that it needs."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from governance.platform.ports import refuse_used_port
from governance.platform.processes import check_server_command


class Command(BaseCommand):
    help = "Serve the check and the feed to gateways, and nothing else."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
        parser.add_argument("--port", type=int, default=settings.CHECK_PORT, help="default CHECK_PORT")
        parser.add_argument("--workers", type=int, default=2, help="number of processes (default 2)")

    def handle(self, *, host: str, port: int, workers: int, **options: Any) -> None:
        refuse_used_port("CHECK_PORT", host, port)
        command = check_server_command(host=host, port=port, workers=workers, log_level="warning")
        os.execv(command[0], command)  # noqa: S606 - this program, with its own arguments
