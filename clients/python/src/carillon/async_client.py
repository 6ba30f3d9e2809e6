"""The client for asynchronous code."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from types import TracebackType
from typing import Any

import httpx

from . import calls
from .attempts import Attempts
from .calls import JSON, Call, Id
from .client import unmerged
from .errors import CarillonError
from .publishing import Publishing, merged
from .settings import Settings, resolve


class AsyncClient(Publishing[Awaitable[Any]]):
    """Publishes to Carillon from one event loop. `async with` it, or await `close()`."""

    def __init__(self, url: str | None = None, token: str | None = None, **settings: Any) -> None:
        self.settings: Settings = resolve(url=url, token=token, **settings)
        self._http: httpx.AsyncClient | None = None

    async def request(self, call: Call, *, idempotency_key: str | None = None) -> Any:
        attempts = Attempts(self.settings, call, idempotency_key)
        while True:
            try:
                response = await self._pool().request(
                    call.method,
                    self.settings.url + call.path,
                    json=call.body,
                    params=dict(call.query),
                    headers=attempts.headers,
                    timeout=attempts.timeout,
                )
            except httpx.HTTPError as error:
                await asyncio.sleep(attempts.failed(error))
                continue
            answer, pause = attempts.answered(response)
            if pause is None:
                return answer
            await asyncio.sleep(pause)

    async def notify_many(self, user_ids: Iterable[Id], notification: JSON) -> list[Any]:
        """The same notification to any number of users."""
        return await self.publish_all(calls.notifications(user_ids, notification))

    async def publish_all(self, publications: Iterable[Call]) -> list[Any]:
        """As `Client.publish_all`."""
        batch = list(publications)
        requests = merged(batch)
        turn = asyncio.Semaphore(self.settings.concurrency)

        async def outcome(call: Call) -> Any | CarillonError:
            async with turn:
                try:
                    return await self.request(call)
                except CarillonError as error:
                    return error

        outcomes = await asyncio.gather(*(outcome(call) for call, _ in requests))
        return unmerged([places for _, places in requests], list(outcomes), len(batch))

    async def close(self) -> None:
        """Closes its connections. It can be used again afterwards."""
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def _pool(self) -> httpx.AsyncClient:
        if self._http is None:
            limits = httpx.Limits(max_connections=self.settings.connections)
            self._http = httpx.AsyncClient(limits=limits, verify=self.settings.verify)
        return self._http
