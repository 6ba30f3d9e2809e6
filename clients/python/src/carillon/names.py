"""Channel names, as `carillon.v1` and the events write them."""

from __future__ import annotations

import string

_PLAIN = frozenset((string.ascii_letters + string.digits + "_-").encode())


def escape(part: str) -> str:
    """One word of a channel's name: every byte but ASCII letters, digits, `_` and `-` becomes `=XX`."""
    return "".join(chr(byte) if byte in _PLAIN else f"={byte:02X}" for byte in part.encode())


def channel(kind: str, *parts: object) -> str:
    """The channel of a kind: `channel("room", "general")` is `room.general`."""
    return ".".join([kind, *(escape(str(part)) for part in parts)])
