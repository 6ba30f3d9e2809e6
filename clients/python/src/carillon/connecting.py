"""Opening a socket that speaks `carillon.v1`, and reading what comes over it."""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING, Any

from .errors import ConfigurationError, ConnectionClosedError, UnreachableError
from .settings import Settings

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

REFUSED = frozenset({401, 403})
"""Answers to a handshake after which another one is in vain: of a host or an origin that may not connect, or of a
token, where a deployment refuses those so."""


async def open_socket(settings: Settings, token: str | None) -> ClientConnection:
    """A socket to one of the gateways.

    Raises UnreachableError if there is none at present, and ConnectionClosedError if that is not going to change.
    """
    try:
        from websockets.asyncio.client import connect
        from websockets.exceptions import InvalidHandshake, InvalidStatus
    except ImportError:
        raise ConfigurationError('a subscriber needs websockets: pip install "carillon[subscriber]"') from None
    try:
        return await connect(
            settings.websocket_url,
            additional_headers={"authorization": f"Bearer {token}"} if token else {},
            open_timeout=settings.timeout,
            close_timeout=1,
            max_size=None,
            ssl=_ssl(settings),
            proxy=None,
        )
    except InvalidStatus as error:
        status = error.response.status_code
        if status in REFUSED:
            raise ConnectionClosedError(status, "the handshake was refused") from error
        raise UnreachableError(f"{settings.websocket_url}: HTTP {status}") from error
    except (OSError, InvalidHandshake) as error:
        raise UnreachableError(f"{settings.websocket_url}: {error or type(error).__name__}") from error


def frames(text: str | bytes) -> list[dict[str, Any]]:
    """The frames of a message."""
    value = json.loads(text)
    read: list[dict[str, Any]] = value if isinstance(value, list) else [value]
    return read


def _ssl(settings: Settings) -> ssl.SSLContext | None:
    if not settings.url.startswith("https"):
        return None
    context = ssl.create_default_context(cafile=settings.verify if isinstance(settings.verify, str) else None)
    if settings.verify is False:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
