from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

import carillon.default
from gateway import Gateway, user_token

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One that all tests share: each has rooms, users and organisations of its own."""
    running = Gateway(tmp_path_factory.mktemp("carillon"))
    yield running
    running.stop()


@pytest.fixture
def own_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One that a test may kill."""
    running = Gateway(tmp_path_factory.mktemp("carillon"))
    yield running
    if running.process is not None:
        running.stop()


@pytest.fixture
def configured(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """Where the functions of the package publish to the shared gateway."""
    monkeypatch.setenv("CARILLON_URL", gateway.url)
    monkeypatch.setenv("CARILLON_TOKEN", gateway.token)
    carillon.default.reset()
    yield gateway
    carillon.default.reset()


@pytest.fixture
def unique() -> Callable[[str], str]:
    return lambda name: f"{name}-{next(_numbers)}"


class Client:
    """A front end at one of the endpoints."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def send(self, frame: Any) -> None:
        await self.socket.send(json.dumps(frame))

    async def frame(self) -> dict[str, Any]:
        return json.loads(await asyncio.wait_for(self.socket.recv(), 30))

    async def until(self, kind: str, **members: Any) -> dict[str, Any]:
        """The next frame of a type, with these members."""
        while True:
            frame = await self.frame()
            if frame.get("type") == kind and all(frame.get(name) == it for name, it in members.items()):
                return frame


@asynccontextmanager
async def front_end(base: str, path: str, user: int | str | None = None, **query: str) -> AsyncIterator[Client]:
    if user is not None:
        query["token"] = user_token(user)
    text = "&".join(f"{name}={value}" for name, value in query.items())
    async with connect(f"{base}{path}?{text}" if text else base + path) as socket:
        yield Client(socket)
