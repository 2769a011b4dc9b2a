"""Tables in memory in place of LiteLLM's database, which its routes and its authentication ask as they ask Prisma."""

import hashlib
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from litellm.proxy._types import LiteLLM_TeamTable, LiteLLM_VerificationToken, LiteLLM_VerificationTokenView

Row = dict[str, Any]

TEAMS: list[Row] = [{"team_id": "team_harbour", "models": [], "metadata": {}, "members_with_roles": []}]
KEYS: list[Row] = [
    {"token": hashlib.sha256(secret.encode()).hexdigest(), "created_at": datetime(2026, 1, 1, tzinfo=UTC), **owner}
    for secret, owner in {
        "sk-harbour": {"team_id": "team_harbour", "user_id": "default_user_id"},
        "sk-quill": {"user_id": "user_quill"},
        "sk-quill-in-harbour": {"user_id": "user_quill", "team_id": "team_harbour"},
        "sk-lone": {},
    }.items()
]


def provide_prisma() -> None:
    """The errors of the package that LiteLLM looks for when something went wrong; none of them ever happens here."""

    class Errors(ModuleType):
        def __getattr__(self, name: str) -> type[Exception]:
            if name.startswith("__"):
                raise AttributeError(name)
            kind = type(name, (self.PrismaError,) if name != "PrismaError" else (Exception,), {})
            setattr(self, name, kind)
            return kind

    prisma, engine = ModuleType("prisma"), ModuleType("prisma.engine")
    errors, engine_errors = Errors("prisma.errors"), Errors("prisma.engine.errors")
    vars(prisma).update(errors=errors, engine=engine)
    vars(engine).update(errors=engine_errors)
    sys.modules |= {module.__name__: module for module in (prisma, errors, engine, engine_errors)}


class Table:
    def __init__(self, model: type[Any], rows: list[Row]) -> None:
        self.model, self.rows = model, rows

    async def find_many(self, where: Any = None, skip: int = 0, take: int | None = None, **_: Any) -> list[Any]:
        found = [self.model(**row) for row in self.rows if matches(row, where or {})]
        return found[skip:][:take]

    async def find_first(self, where: Any = None, **_: Any) -> Any:
        found = await self.find_many(where)
        return found[0] if found else None

    find_unique = find_first

    async def count(self, where: Any = None, **_: Any) -> int:
        return len(await self.find_many(where))

    async def update(self, where: Any, data: Row, **_: Any) -> Any:
        for row in self.rows:
            if matches(row, where):
                row.update(data)
        return await self.find_first(where)


def matches(row: Row, where: Any) -> bool:
    """As Prisma filters: by what LiteLLM asks here, and no more."""

    def one(name: str, wanted: Any) -> bool:
        if name in {"AND", "OR"}:
            return (all if name == "AND" else any)(matches(row, part) for part in wanted)
        if isinstance(wanted, dict) and "in" in wanted:
            return row.get(name) in wanted["in"]
        return bool(row.get(name) != wanted["not"] if isinstance(wanted, dict) else row.get(name) == wanted)

    return all(one(name, wanted) for name, wanted in where.items())


class Tables:
    def __init__(self) -> None:
        self.litellm_teamtable = Table(LiteLLM_TeamTable, TEAMS)
        self.litellm_verificationtoken = Table(LiteLLM_VerificationToken, KEYS)

    def __getattr__(self, name: str) -> Table:
        """Nothing is in any other."""
        return Table(dict, [])

    @asynccontextmanager
    async def tx(self) -> AsyncIterator["Tables"]:
        yield self

    async def query_raw(self, *_: Any) -> list[Row]:
        return []


class Database:
    """What LiteLLM calls its `prisma_client`."""

    def __init__(self) -> None:
        self.db = self.writer_db = Tables()

    def jsonify_team_object(self, db_data: Row) -> Row:
        return db_data

    async def get_data(self, token: str | None = None, table_name: str = "", **_: Any) -> Any:
        """The key that somebody shows, with its team; and of the keys that belong to a team none."""
        if table_name != "combined_view":
            return []
        for row in KEYS:
            if row["token"] == token:
                team = next((team for team in TEAMS if team["team_id"] == row.get("team_id")), {})
                return LiteLLM_VerificationTokenView(**row, team_blocked=bool(team.get("blocked")))
        return None
