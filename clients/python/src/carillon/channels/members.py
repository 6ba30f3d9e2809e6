"""Which of this process's channels are in which groups."""

from __future__ import annotations

import threading
import time


class Members:
    """Groups and their channels, each until so many seconds after it was added."""

    def __init__(self, expiry: float) -> None:
        self._expiry = expiry
        self._lock = threading.Lock()
        self._groups: dict[str, dict[str, float]] = {}

    def add(self, group: str, channel: str) -> bool:
        """True if it is the group's first."""
        with self._lock:
            channels = self._groups.setdefault(group, {})
            is_first = not channels
            channels[channel] = time.monotonic() + self._expiry
            return is_first

    def discard(self, group: str, channel: str) -> bool:
        """True if it was the group's last."""
        with self._lock:
            channels = self._groups.get(group)
            if channels is None or channels.pop(channel, None) is None or channels:
                return False
            del self._groups[group]
            return True

    def of(self, group: str) -> list[str]:
        now = time.monotonic()
        with self._lock:
            return [channel for channel, until in self._groups.get(group, {}).items() if until > now]

    def groups(self) -> list[str]:
        with self._lock:
            return list(self._groups)

    def groups_of(self, channel: str) -> list[str]:
        with self._lock:
            return [group for group, channels in self._groups.items() if channel in channels]

    def clear(self) -> list[str]:
        """Forgets all, and names the groups that there were."""
        with self._lock:
            groups, self._groups = list(self._groups), {}
            return groups
