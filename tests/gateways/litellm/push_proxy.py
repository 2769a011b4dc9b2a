"""LiteLLM's own proxy over tables in memory: its routes, its authentication and what it remembers are real.

Served by uvicorn in LiteLLM's environment, with CONFIG_FILE_PATH.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from litellm.proxy import proxy_server

from tests.gateways.litellm.push_database import Database, provide_prisma

provide_prisma()
app = proxy_server.app
starting = app.router.lifespan_context


@asynccontextmanager
async def lifespan(served: FastAPI) -> AsyncIterator[Any]:
    async with starting(served) as state:
        proxy_server.prisma_client = Database()
        yield state


app.router.lifespan_context = lifespan
