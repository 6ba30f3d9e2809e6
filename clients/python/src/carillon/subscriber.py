"""A listener to channels over `carillon.v1`: it comes back by itself, and goes on where it was."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import AsyncIterator, Awaitable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from .connecting import frames, open_socket
from .errors import CarillonError, ChannelRefusedError, ConnectionClosedError, UnreachableError
from .settings import Settings, resolve
from .subscription import Dropped, Ended, Event, Gap, Item, Recovered, Subscribed, Subscription
from .token_source import TokenSource, token_of

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

__all__ = ["Dropped", "Ended", "Event", "Gap", "Item", "Recovered", "Subscribed", "Subscriber"]

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds between two attempts to connect, at most: each is a random part of what doubles."""

WAITING = 1_000
"""Events that may wait to be read. Then nothing more is read from the socket, and a gateway that is kept waiting
closes it; nothing is lost by that."""

REQUESTS = 100
"""Requests that one frame may have."""


class Subscriber:
    """Listens to channels, in an `async for`:

        async with Subscriber("room.general", "everyone") as subscriber:
            async for item in subscriber:
                match item:
                    case Event(channel=channel, data=data): ...
                    case Gap(channel=channel): ...      # load that channel's state anew

    `since` names the places from which to resume, by channel; `query` what a channel's endpoint takes in its query.
    """

    def __init__(
        self,
        *channels: str,
        url: str | None = None,
        token: TokenSource = None,
        since: Mapping[str, str] | None = None,
        query: Mapping[str, Mapping[str, Any]] | None = None,
        **settings: Any,
    ) -> None:
        self.settings: Settings = resolve(url=url, **settings)
        self._token: TokenSource = token if token is not None else self.settings.token
        self._first = [(channel, (since or {}).get(channel), (query or {}).get(channel, {})) for channel in channels]
        self._subscriptions: dict[str, Subscription] = {}
        self._requests: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._asked: dict[int, Subscription] = {}
        self._ids = itertools.count(1)
        self._socket: ClientConnection | None = None
        self._connected = asyncio.Event()
        self._items: asyncio.Queue[Item | BaseException] = asyncio.Queue()
        self._has_room = asyncio.Event()
        self._later: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._come_back_after: float | None = None
        self.problem: UnreachableError | None = None
        """Why there was no connection, the last time that there was none."""
        self._failures = 0
        self._expired = 0
        self._failure: BaseException | None = None

    async def __aenter__(self) -> Subscriber:
        for channel, since, query in self._first:
            self._want(channel, since, query)
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends everything."""
        tasks = [task for task in (self._task, *self._later) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._fail_requests(UnreachableError("the subscriber was closed"))
        for subscription in self._subscriptions.values():
            subscription.opened.cancel()

    async def __aiter__(self) -> AsyncIterator[Item]:
        while True:
            item = await self._items.get()
            self._has_room.set()
            if isinstance(item, BaseException):
                raise item
            yield item

    def place(self, channel: str) -> str | None:
        """Where in a channel it is: what `since` takes."""
        subscription = self._subscriptions.get(channel)
        return subscription.place if subscription else None

    async def subscribe(self, channel: str, since: str | None = None, query: Mapping[str, Any] | None = None) -> None:
        """Listens to one channel more; returns once that is so, however long the gateway is away.

        Raises ChannelRefusedError if it may not.
        """
        if self._failure is not None:
            raise self._failure
        subscription = self._subscriptions.get(channel)
        if subscription is None:
            subscription = self._want(channel, since, query or {})
            if self._connected.is_set():
                await self._ask([subscription])
        await asyncio.shield(subscription.opened)

    async def unsubscribe(self, channel: str) -> None:
        """Listens to it no longer. What of it is waiting to be read still comes."""
        subscription = self._subscriptions.pop(channel, None)
        if subscription is None:
            return
        subscription.opened.cancel()
        if self._connected.is_set():
            await self._send([{"id": next(self._ids), "type": "unsubscribe", "channel": channel}])

    async def publish(self, channel: str, data: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Says something as clients of the channel's endpoint do; returns what its owner says to that.

        Raises UnreachableError if the connection ends before it is answered: whether it was heard is not known.
        """
        answer = await self._request({"type": "publish", "channel": channel, "data": data})
        return list(answer["data"])

    async def history(self, channel: str, after: int = 0, limit: int = 50) -> dict[str, Any]:
        """A page of the channel's log: `{epoch, first, head, events}`."""
        return await self._request({"type": "history", "channel": channel, "after": after, "limit": limit})

    async def presence(self, channel: str, after: str | None = None, limit: int = 50) -> dict[str, Any]:
        """Who is there: `{count, members, next}`."""
        return await self._request({"type": "presence", "channel": channel, "after": after, "limit": limit})

    def _want(self, channel: str, since: str | None, query: Mapping[str, Any]) -> Subscription:
        subscription = self._subscriptions[channel] = Subscription(channel, query)
        # Whoever doesn't wait for it is told in an item.
        subscription.opened.add_done_callback(lambda it: it.cancelled() or it.exception())
        if since is not None:
            subscription.move(since)
        return subscription

    async def _run(self) -> None:
        try:
            while True:
                await self._connect_once()
                await asyncio.sleep(self._pause())
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self._failure = error
            for subscription in self._subscriptions.values():
                if not subscription.opened.done():
                    subscription.opened.set_exception(error)
            self._fail_requests(UnreachableError(str(error)))
            self._items.put_nowait(error)

    async def _connect_once(self) -> None:
        """Holds one connection, until it ends. Raises if coming back is in vain."""
        from websockets.exceptions import ConnectionClosed

        try:
            socket = await open_socket(self.settings, await token_of(self._token))
        except UnreachableError as error:
            self._failures += 1
            self.problem = error
            return
        try:
            async with socket:
                self._socket = socket
                async for text in socket:
                    for frame in frames(text):
                        await self._hear(frame)
        except ConnectionClosed:
            pass
        finally:
            self._socket = None
            self._disconnected()
        self._closed(socket.close_code or 1006, socket.close_reason or "")

    def _closed(self, code: int, reason: str) -> None:
        """What follows from a close code (docs/protocol.md, carillon.v1)."""
        self._expired = self._expired + 1 if code == 4101 else 0
        # A function may give another token; if that has expired as well, so will the next.
        in_vain = self._expired > (1 if callable(self._token) else 0)
        if 4500 <= code <= 4599 or in_vain:
            raise ConnectionClosedError(code, reason)
        self._failures += 1
        self.problem = UnreachableError(f"closed with {code}: {reason}")

    def _pause(self) -> float:
        """Seconds before the next attempt: as the gateway said, or exponential backoff with full jitter."""
        after, self._come_back_after = self._come_back_after, None
        if after is not None:
            return after
        return random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._failures, 16)))  # noqa: S311

    def _disconnected(self) -> None:
        self._connected.clear()
        self._asked.clear()
        for subscription in self._subscriptions.values():
            subscription.is_open = False
        for task in self._later:
            task.cancel()
        self._later.clear()
        self._fail_requests(UnreachableError("the connection ended before this was answered"))

    def _fail_requests(self, error: CarillonError) -> None:
        for waiting in self._requests.values():
            if not waiting.done():
                waiting.set_exception(error)
        self._requests.clear()

    async def _hear(self, frame: dict[str, Any]) -> None:
        kind = frame.get("type")
        if "data" in frame and kind is None:
            await self._event(frame)
        elif kind == "connected":
            self._expired = 0
            self._connected.set()
            await self._ask(list(self._subscriptions.values()))
        elif kind == "subscribed":
            self._subscribed(frame)
        elif kind == "recovery":
            self._recovery(frame)
        elif kind == "unsubscribed" and "code" in frame:
            self._refused(self._subscriptions.get(frame["channel"]), frame)
        elif kind == "error" and frame.get("id") in self._asked:
            self._refused(self._asked.pop(frame["id"]), frame)
        elif kind == "dropped":
            self._items.put_nowait(Dropped(frame["count"]))
        elif kind == "reconnect":
            self._come_back_after = frame["after_ms"] / 1_000
        elif kind == "token_expiring" and callable(self._token):
            self._start_later(self._refresh())
        elif frame.get("id") in self._requests:
            waiting = self._requests.pop(frame["id"])
            if not waiting.done():
                waiting.set_result(frame)

    async def _event(self, frame: dict[str, Any]) -> None:
        subscription, offset = self._subscriptions.get(frame["channel"]), frame.get("offset")
        if subscription is None or (offset is not None and not subscription.is_news(offset)):
            return
        while self._items.qsize() >= WAITING:
            self._has_room.clear()
            await self._has_room.wait()
        self._items.put_nowait(Event(frame["channel"], frame["data"], offset, subscription.epoch or ""))

    def _subscribed(self, frame: dict[str, Any]) -> None:
        subscription = self._asked.pop(frame["id"], None)
        if subscription is None or self._subscriptions.get(subscription.channel) is not subscription:
            return
        self._failures = subscription.attempts = 0
        subscription.is_open = True
        place = f"{frame['epoch']}.{frame['offset']}"
        subscription.head = place
        if subscription.asked_since is None:
            subscription.move(place)
            self._items.put_nowait(Subscribed(subscription.channel, place))
        if not subscription.opened.done():
            subscription.opened.set_result(None)

    def _recovery(self, frame: dict[str, Any]) -> None:
        subscription = self._subscriptions.get(frame["channel"])
        if subscription is None:
            return
        if frame["recovered"]:
            self._items.put_nowait(Recovered(subscription.channel, frame.get("missed", 0)))
            return
        since = subscription.place or ""
        if subscription.head is not None:
            subscription.move(subscription.head)
        self._items.put_nowait(Gap(subscription.channel, since))

    def _refused(self, subscription: Subscription | None, frame: dict[str, Any]) -> None:
        """A subscription was refused, or ended."""
        if subscription is None or self._subscriptions.get(subscription.channel) is not subscription:
            return
        subscription.is_open = False
        if frame["retry"]:
            subscription.attempts += 1
            pause = frame.get("retry_after") or min(LONGEST_PAUSE, FIRST_PAUSE * 2**subscription.attempts)
            self._start_later(self._ask_later(subscription, pause * random.uniform(0.5, 1)))  # noqa: S311
            return
        del self._subscriptions[subscription.channel]
        error = ChannelRefusedError(subscription.channel, frame["code"], frame["message"])
        if not subscription.opened.done():
            subscription.opened.set_exception(error)
        self._items.put_nowait(Ended(subscription.channel, error.code, error.message))

    async def _ask_later(self, subscription: Subscription, pause: float) -> None:
        await asyncio.sleep(pause)
        if self._subscriptions.get(subscription.channel) is subscription:
            await self._ask([subscription])

    async def _refresh(self) -> None:
        token = await token_of(self._token)
        await self._request({"type": "refresh", "token": token})

    def _start_later(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)
        task.add_done_callback(lambda it: it.cancelled() or it.exception())

    async def _ask(self, subscriptions: list[Subscription]) -> None:
        requests: list[dict[str, Any]] = []
        for subscription in subscriptions:
            number = next(self._ids)
            request: dict[str, Any] = {"id": number, "type": "subscribe", "channel": subscription.channel}
            subscription.asked_since = subscription.place
            if subscription.place is not None:
                request["since"] = subscription.place
            if subscription.query:
                request["query"] = dict(subscription.query)
            self._asked[number] = subscription
            requests.append(request)
        for start in range(0, len(requests), REQUESTS):
            await self._send(requests[start : start + REQUESTS])

    async def _request(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._failure is not None:
            raise self._failure
        await self._in_time(self._connected.wait())
        number = next(self._ids)
        waiting = self._requests[number] = asyncio.get_running_loop().create_future()
        await self._send([{"id": number, **request}])
        answer: dict[str, Any] = await self._in_time(waiting)
        if answer.get("type") == "error":
            raise ChannelRefusedError(str(answer.get("channel", "")), answer["code"], answer["message"])
        return answer

    async def _in_time(self, work: Awaitable[T]) -> T:
        try:
            return await asyncio.wait_for(work, self.settings.deadline)
        except asyncio.TimeoutError:
            raise UnreachableError(f"no answer in {self.settings.deadline} seconds ({self.problem})") from None

    async def _send(self, requests: list[dict[str, Any]]) -> None:
        from websockets.exceptions import ConnectionClosed

        socket = self._socket
        if socket is None or not requests:
            return
        try:
            await socket.send(json.dumps(requests if len(requests) > 1 else requests[0]))
        except ConnectionClosed:
            # Whoever reads the socket sees that too, and everything that is wanted is asked for again.
            return
