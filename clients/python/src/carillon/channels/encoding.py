"""Channels' messages as JSON: they may hold bytes, which JSON doesn't."""

from __future__ import annotations

import base64
from typing import Any

_BYTES = "__bytes__"


def encode(value: Any) -> Any:
    """A message as JSON can hold it. Raises TypeError for what no channel layer carries."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return {_BYTES: base64.b64encode(value).decode("ascii")}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        if any(not isinstance(key, str) for key in value):
            raise TypeError("the keys of a message's dictionaries have to be texts")
        if _BYTES in value:
            raise TypeError(f"{_BYTES} can't be the key of a message's dictionary")
        return {key: encode(item) for key, item in value.items()}
    what = f"{type(value).__name__} can't be sent over a channel layer"
    raise TypeError(f"{what}: messages hold texts, bytes, numbers, booleans, None, lists and dictionaries of these")


def decode(value: Any) -> Any:
    """The message that was encoded so."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if isinstance(value, dict):
        if value.keys() == {_BYTES}:
            return base64.b64decode(value[_BYTES])
        return {key: decode(item) for key, item in value.items()}
    return value
