"""What waits in this process for its consumers, whichever thread and event loop they are in."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

Message = dict[str, Any]


class MailboxFullError(Exception):
    """A channel has as many messages as it may have."""


class _Mailbox:
    def __init__(self) -> None:
        self.messages: deque[tuple[float, Message]] = deque()
        self.waiting: deque[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = deque()

    @property
    def is_idle(self) -> bool:
        return not self.messages and not self.waiting


class Mailboxes:
    """The messages of channels, each for so many seconds. `on_expiry` is told of channels that nobody reads."""

    def __init__(self, expiry: float, on_expiry: Callable[[str], None]) -> None:
        self._expiry, self._on_expiry = expiry, on_expiry
        self._lock = threading.Lock()
        self._boxes: dict[str, _Mailbox] = {}
        self._looked_at = 0.0

    def put(self, channel: str, message: Message, capacity: int) -> None:
        """Leaves a message. Raises MailboxFullError where there is no room."""
        unread = self._expire()
        with self._lock:
            box = self._boxes.setdefault(channel, _Mailbox())
            is_full = len(box.messages) >= capacity
            if not is_full:
                box.messages.append((time.monotonic() + self._expiry, message))
                self._wake(box)
        for name in unread:
            self._on_expiry(name)
        if is_full:
            raise MailboxFullError(channel)

    async def get(self, channel: str) -> Message:
        """The next message of a channel; of several who wait for one, the first gets it."""
        while True:
            for name in self._expire():
                self._on_expiry(name)
            with self._lock:
                box = self._boxes.setdefault(channel, _Mailbox())
                if box.messages:
                    _, message = box.messages.popleft()
                    self._clear(channel, box)
                    return message
                loop = asyncio.get_running_loop()
                place = (loop, loop.create_future())
                box.waiting.append(place)
            try:
                await place[1]
            except asyncio.CancelledError:
                with self._lock:
                    self._withdraw(channel, box, place)
                raise

    def clear(self) -> None:
        with self._lock:
            for box in self._boxes.values():
                box.messages.clear()
            self._boxes = {name: box for name, box in self._boxes.items() if box.waiting}

    def __len__(self) -> int:
        """How many channels have messages or readers."""
        for name in self._expire():
            self._on_expiry(name)
        with self._lock:
            return len(self._boxes)

    def _withdraw(
        self, channel: str, box: _Mailbox, place: tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]
    ) -> None:
        if place in box.waiting:
            box.waiting.remove(place)
        elif box.messages:
            # It was woken for a message that it will not take.
            self._wake(box)
        self._clear(channel, box)

    def _clear(self, channel: str, box: _Mailbox) -> None:
        if box.is_idle and self._boxes.get(channel) is box:
            del self._boxes[channel]

    @staticmethod
    def _wake(box: _Mailbox) -> None:
        while box.waiting:
            loop, future = box.waiting.popleft()
            try:
                loop.call_soon_threadsafe(_resolve, future)
            except RuntimeError:
                # That loop is closed, and its reader gone.
                continue
            return

    def _expire(self) -> list[str]:
        """Drops what nobody has read in time, and names the channels concerned."""
        now, unread = time.monotonic(), []
        with self._lock:
            if now - self._looked_at < min(1.0, self._expiry / 2):
                return []
            self._looked_at = now
            for name, box in list(self._boxes.items()):
                while box.messages and box.messages[0][0] <= now:
                    box.messages.popleft()
                    unread.append(name)
                self._clear(name, box)
        return list(dict.fromkeys(unread))


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
