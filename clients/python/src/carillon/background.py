"""One event loop of this process, in a thread of its own, for what outlives the loops of callers.

`async_to_sync` makes a loop for every call: connections that were bound to those could never be used twice.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Background:
    """The loop and its thread: made when first needed, and again after a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Has something done there."""
        return asyncio.run_coroutine_threadsafe(work, self.loop())

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The same, awaited in the caller's loop. Cancelling it cancels the work."""
        return await asyncio.wrap_future(self.submit(work))

    def loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._process != os.getpid():
                self._loop, self._process = self._start(), os.getpid()
            return self._loop

    @staticmethod
    def _start() -> asyncio.AbstractEventLoop:
        loop, ready = asyncio.new_event_loop(), threading.Event()

        def run() -> None:
            asyncio.set_event_loop(loop)
            loop.call_soon(ready.set)
            loop.run_forever()

        threading.Thread(target=run, name="carillon", daemon=True).start()
        ready.wait()
        return loop


background = Background()


def _forked() -> None:
    # The thread is not there any more, and a lock that another one held would be held for ever.
    background.__init__()  # type: ignore[misc]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
