"""What a subscriber tells, and what it keeps of each channel."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Event:
    """Something that happened on a channel. `offset` is None for what no log keeps: greetings, typing, cursors."""

    channel: str
    data: dict[str, Any]
    offset: int | None
    epoch: str

    @property
    def place(self) -> str | None:
        """From where `since` resumes after this event."""
        return None if self.offset is None else f"{self.epoch}.{self.offset}"


@dataclass(frozen=True)
class Subscribed:
    """The channel is listened to, from this place on."""

    channel: str
    place: str


@dataclass(frozen=True)
class Recovered:
    """The connection was away. So many events were missed, and follow."""

    channel: str
    missed: int


@dataclass(frozen=True)
class Gap:
    """What was missed of the channel since that place can't be had any more: load its state anew."""

    channel: str
    since: str


@dataclass(frozen=True)
class Dropped:
    """So many ephemeral events were left out because this client reads too slowly."""

    count: int


@dataclass(frozen=True)
class Ended:
    """The channel is not listened to any more, and asking again is in vain."""

    channel: str
    code: str
    message: str


Item = Event | Subscribed | Recovered | Gap | Dropped | Ended


@dataclass
class Subscription:
    """A channel that is wanted, and where in it its listener is."""

    channel: str
    query: Mapping[str, Any]
    epoch: str | None = None
    offset: int = 0
    is_open: bool = False
    attempts: int = 0
    """How often it was refused for now, in a row."""
    head: str | None = None
    """Where the channel was when it was last opened."""
    asked_since: str | None = None
    """The place that the request named which is under way, or was the last."""
    opened: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """Done when it is first open, or refused for good."""

    @property
    def place(self) -> str | None:
        return None if self.epoch is None else f"{self.epoch}.{self.offset}"

    def move(self, place: str) -> None:
        epoch, _, offset = place.rpartition(".")
        if not epoch or not offset.isdecimal():
            raise ValueError(f"a place is <epoch>.<offset>, and not {place!r}")
        self.epoch, self.offset = epoch, int(offset)

    def is_news(self, offset: int) -> bool:
        """Whether an event is after all that was seen; then it is seen."""
        if offset <= self.offset:
            return False
        self.offset = offset
        return True
