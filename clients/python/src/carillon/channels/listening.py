"""The one connection by which a process hears what its groups are told. It lives in the background's event loop."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from ..background import background
from ..errors import CarillonError, ConnectionClosedError, ForbiddenError, UnreachableError
from ..settings import Settings
from ..subscriber import Ended, Event, Gap, Subscriber

logger = logging.getLogger("carillon.channels")

SCOPE = "channels:listen"

PAUSE = 30.0
"""Seconds until what looks vain is tried again."""


class Listening:
    """Channels are opened when a first group needs them, and closed when the last one is gone."""

    def __init__(self, settings: Settings, hear: Callable[[str, dict[str, Any]], None]) -> None:
        self._settings, self._hear = settings, hear
        self._lock = threading.Lock()
        self._wanted: dict[str, int] = {}
        self._subscriber: Subscriber | None = None
        self._reading: asyncio.Task[None] | None = None
        self._trying: asyncio.Task[None] | None = None
        self._turn: asyncio.Lock | None = None

    async def open(self, channel: str) -> None:
        """Wants a channel, and waits until it is heard.

        Raises UnreachableError if that takes longer than the deadline, and ForbiddenError if the token may not.
        """
        with self._lock:
            self._wanted[channel] = self._wanted.get(channel, 0) + 1
        try:
            await background.run(self._open(channel))
        except BaseException:
            await self.close(channel)
            raise

    async def close(self, channel: str) -> None:
        """Wants it no longer."""
        with self._lock:
            left = self._wanted.get(channel, 0) - 1
            if left > 0:
                self._wanted[channel] = left
                return
            self._wanted.pop(channel, None)
        await background.run(self._close(channel))

    def end(self) -> Future[None]:
        """Closes the connection."""
        with self._lock:
            self._wanted.clear()
        return background.submit(self._end())

    async def _open(self, channel: str) -> None:
        subscriber = await self._connected()
        try:
            await asyncio.wait_for(subscriber.subscribe(channel), self._settings.deadline)
        except asyncio.TimeoutError:
            what = f"{self._settings.url} could not be listened to in {self._settings.deadline} seconds"
            raise UnreachableError(f"{what} ({subscriber.problem})") from None
        except ConnectionClosedError as error:
            hint = f"is the token a service token with the scope {SCOPE}?"
            raise ForbiddenError(403, f"Carillon closed the connection ({error}): {hint}") from error

    async def _close(self, channel: str) -> None:
        async with self._in_turn():
            with self._lock:
                is_wanted = channel in self._wanted
            if self._subscriber is not None and not is_wanted:
                await self._subscriber.unsubscribe(channel)

    async def _connected(self) -> Subscriber:
        async with self._in_turn():
            if self._subscriber is None or self._reading is None or self._reading.done():
                old = self._subscriber
                with self._lock:
                    wanted = list(self._wanted)
                # What the last one heard, this one goes on with.
                places = {name: place for name in wanted if old and (place := old.place(name))}
                self._subscriber = Subscriber(
                    *wanted,
                    since=places,
                    url=self._settings.url,
                    token=self._settings.token,
                    timeout=self._settings.timeout,
                    deadline=self._settings.deadline,
                    verify=self._settings.verify,
                )
                await self._subscriber.__aenter__()
                self._reading = asyncio.create_task(self._read(self._subscriber))
            return self._subscriber

    async def _read(self, subscriber: Subscriber) -> None:
        try:
            async for item in subscriber:
                if isinstance(item, Event):
                    self._deliver(item)
                elif isinstance(item, Gap):
                    logger.error("%s: events were missed that Carillon has no longer", item.channel)
                elif isinstance(item, Ended):
                    logger.error("%s is not listened to any more: %s", item.channel, item.message)
        except CarillonError as error:
            logger.error("Carillon is not listened to: %s; the next attempt is in %s seconds", error, PAUSE)
            self._trying = asyncio.create_task(self._again(subscriber))
        finally:
            await subscriber.close()

    async def _again(self, old: Subscriber) -> None:
        """What closed the connection for good may be mended by now, and groups wait for their messages."""
        await asyncio.sleep(PAUSE)
        with self._lock:
            is_needed = bool(self._wanted) and self._subscriber is old
        if is_needed:
            await self._connected()

    def _deliver(self, event: Event) -> None:
        try:
            self._hear(event.channel, event.data)
        except Exception:
            logger.exception("an event of %s could not be delivered", event.channel)

    async def _end(self) -> None:
        async with self._in_turn():
            reading, self._reading = self._reading, None
            subscriber, self._subscriber = self._subscriber, None
            for task in (reading, self._trying):
                if task is not None:
                    task.cancel()
            if subscriber is not None:
                await subscriber.close()

    def _in_turn(self) -> asyncio.Lock:
        if self._turn is None:
            self._turn = asyncio.Lock()
        return self._turn
