"""Where a subscriber's token comes from: a text, or a function that is asked for a new one whenever one is due."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable

TokenSource = str | Callable[[], str | Awaitable[str]] | None


async def token_of(source: TokenSource) -> str | None:
    """The token to use now."""
    if source is None or isinstance(source, str):
        return source
    token = source()
    return await token if inspect.isawaitable(token) else token
