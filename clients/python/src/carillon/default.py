"""The clients that the functions of this package use, one of each kind for a process."""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from .async_client import AsyncClient
from .background import background
from .client import Client

_lock = threading.Lock()
_client: Client | None = None
_async: tuple[int, AsyncClient] | None = None


def client() -> Client:
    """The process's sync client, with the settings as they are when it is first used."""
    global _client
    with _lock:
        if _client is None:
            _client = Client()
        return _client


def reset() -> None:
    """Has the settings read anew: for tests, and for whoever changes them while the process runs."""
    global _client, _async
    with _lock:
        old, _client = _client, None
        waiting, _async = _async, None
    if old is not None:
        old.close()
    if waiting is not None and waiting[0] == os.getpid():
        background.submit(waiting[1].close()).result()


async def run(publish: Callable[[AsyncClient], Awaitable[Any]]) -> Any:
    """Publishes with the process's async client, whichever loop the caller is in."""

    async def work() -> Any:
        return await publish(_async_client())

    return await background.run(work())


def _async_client() -> AsyncClient:
    global _async
    with _lock:
        if _async is None or _async[0] != os.getpid():
            _async = (os.getpid(), AsyncClient())
        return _async[1]


def _forked() -> None:
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
