"""The layer that Django Channels is given: `CHANNEL_LAYERS = {"default": {"BACKEND":
"carillon.channels.CarillonChannelLayer"}}`."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import logging
import os
import secrets
from collections.abc import Mapping
from typing import Any

from channels.exceptions import ChannelFull
from channels.layers import BaseChannelLayer, channel_layers

from .. import calls
from ..async_client import AsyncClient
from ..background import background
from ..calls import Call
from ..errors import ConfigurationError
from ..names import channel as carillon_channel
from ..settings import Settings, resolve
from .encoding import decode, encode
from .groups import Groups
from .listening import Listening
from .mailboxes import Mailboxes, MailboxFullError
from .members import Members
from .translation import consumers_message, publication

logger = logging.getLogger("carillon.channels")

LONGEST_GROUP = 100
"""Characters that the name of a group of back ends may have."""


class CarillonChannelLayer(BaseChannelLayer):  # type: ignore[misc]
    """Groups that are channels of Carillon reach its clients; all others are carried between the Django processes,
    where no client hears them. Needs a service token with `channels:listen`, `groups:send` and the scopes of what
    is published.

    - A message to a group such as `chat_general` is published to the room; consumers in the group get it from there,
      like everything else that is said in the room.
    - What is nothing for a channel's clients (a message of the project's own to `chat_general`) is carried to the
      group's consumers only, and a line in the log says so.
    - Channels without a `!`, which `runworker` reads, are of this process only, unless `fallback` names another layer
      of CHANNEL_LAYERS that is to have them.
    """

    extensions = ("groups", "flush")

    _is_reached: bool
    _listening: Listening

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        groups: Mapping[str, Any] | None = None,
        fallback: str | None = None,
        prefix: str = "django",
        expiry: float = 60,
        group_expiry: float = 86_400,
        capacity: int = 100,
        channel_capacity: Mapping[Any, int] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(expiry=expiry, capacity=capacity)
        self.channel_capacity = self.compile_capacities(channel_capacity or {})
        self.settings: Settings = resolve(url=url, token=token, **settings)
        self.prefix, self.group_expiry = prefix, group_expiry
        self._groups, self._fallback = Groups(groups), fallback
        self._told: set[str] = set()
        self._process = 0
        self._begin()

    async def new_channel(self, prefix: str = "specific") -> str:
        """A channel of this process, to which the others can send, too."""
        self._check_process()
        if not self._is_reached:
            await self._listening.open(self._carrier("process", self._own))
            self._is_reached = True
        return f"{prefix.rstrip('.')}.{self._own}!{secrets.token_hex(8)}"

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        """Sends to one channel. Raises ChannelFull if it is of this process and has no room."""
        self._check_message(message)
        self.require_valid_channel_name(channel)
        self._check_process()
        owner = self._owner(channel)
        if owner is None and self._fallback is not None:
            await self._other_layer().send(channel, message)
        elif owner in (None, self._own):
            if owner is None:
                self._say_once(channel, "%s is a channel of this process only: name a fallback layer for workers")
            try:
                self._mailboxes.put(channel, copy.deepcopy(message), self.get_capacity(channel))
            except MailboxFullError:
                raise ChannelFull(channel) from None
        else:
            await self._tell(owner, {"op": "send", "channel": channel, "message": encode(message)})

    async def receive(self, channel: str) -> dict[str, Any]:
        """The next message of a channel of this process."""
        self.require_valid_channel_name(channel)
        self._check_process()
        owner = self._owner(channel)
        if owner is None and self._fallback is not None:
            received: dict[str, Any] = await self._other_layer().receive(channel)
            return received
        if owner not in (None, self._own):
            raise AssertionError(f"{channel} is a channel of another process")
        return await self._mailboxes.get(channel)

    async def group_add(self, group: str, channel: str) -> None:
        """Has a channel get what the group is told, from when this returns."""
        self.require_valid_group_name(group)
        self.require_valid_channel_name(channel)
        self._check_process()
        owner = self._owner(channel)
        if owner not in (None, self._own):
            await self._tell(owner, {"op": "group_add", "group": group, "channel": channel})
            return
        await self._join(group, channel)

    async def group_discard(self, group: str, channel: str) -> None:
        self.require_valid_group_name(group)
        self.require_valid_channel_name(channel)
        self._check_process()
        owner = self._owner(channel)
        if owner not in (None, self._own):
            await self._tell(owner, {"op": "group_discard", "group": group, "channel": channel})
            return
        await self._leave(group, channel)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        """Publishes to the group; when this returns, Carillon has it."""
        self._check_message(message)
        self.require_valid_group_name(group)
        self._check_process()
        destination = self._groups.destination(group)
        call = publication(destination, message) if destination else None
        if call is None:
            if destination is not None:
                shown = f"{group}: {message.get('type')}"
                self._say_once(shown, "%s is nothing that clients get: only this project's consumers do")
            call = calls.group_event(self._carried("group", group), {"op": "group", "message": encode(message)})
        await background.run(self._publish(call))

    async def flush(self) -> None:
        """Forgets this process's messages and groups. What is stored in Carillon stays."""
        self._mailboxes.clear()
        for group in self._members.clear():
            await self._close(self._sources(group))

    async def close(self) -> None:
        """Ends this process's connections."""
        await asyncio.wrap_future(self._listening.end())
        await background.run(self._client.close())
        self._is_reached = False

    def _begin(self) -> None:
        self._process, self._own = os.getpid(), secrets.token_hex(8)
        self._is_reached = False
        self._members = Members(self.group_expiry)
        self._mailboxes = Mailboxes(self.expiry, self._forget)
        self._listening = Listening(self.settings, self._hear)
        self._client = AsyncClient(self.settings.url, self.settings.token, timeout=self.settings.timeout)
        self._heard: dict[str, set[str]] = {}

    def _check_process(self) -> None:
        """After a fork this is another process, with channels and connections of its own."""
        if self._process != os.getpid():
            self._begin()

    async def _join(self, group: str, channel: str) -> None:
        is_first, held = self._members.add(group, channel), []
        try:
            for source in self._sources(group):
                self._heard.setdefault(source, set()).add(group)
                await self._listening.open(source)
                held.append(source)
        except BaseException:
            self._members.discard(group, channel)
            await self._close(held)
            raise
        # Whoever comes second has waited until the first one was let in, and needs no more.
        if not is_first:
            await self._close(held)

    async def _close(self, sources: list[str]) -> None:
        for source in sources:
            await self._listening.close(source)

    async def _leave(self, group: str, channel: str) -> None:
        if self._members.discard(group, channel):
            sources = self._sources(group)
            for source in sources:
                self._heard.get(source, set()).discard(group)
            await self._close(sources)

    def _forget(self, channel: str) -> None:
        """Nobody has read what a channel was sent: its consumer is gone."""
        for group in self._members.groups_of(channel):
            background.submit(self._leave(group, channel))

    def _sources(self, group: str) -> list[str]:
        """The channels of Carillon by which a group's messages come."""
        destination = self._groups.destination(group)
        carrier = self._carrier("group", group)
        return [carrier] if destination is None else [destination.channel, carrier]

    def _hear(self, channel: str, data: dict[str, Any]) -> None:
        """Something was said on a channel. Called in the background's thread."""
        if channel == self._carrier("process", self._own):
            self._obey(data)
            return
        for group in list(self._heard.get(channel, ())):
            if message := self._told_by(channel, group, data):
                self._deliver(group, message)

    def _told_by(self, channel: str, group: str, data: dict[str, Any]) -> dict[str, Any] | None:
        if channel == self._carrier("group", group):
            message: dict[str, Any] = decode(data["message"])
            return message
        destination = self._groups.destination(group)
        return consumers_message(destination, data) if destination else None

    def _obey(self, data: dict[str, Any]) -> None:
        """Another process asks for something about a channel of this one."""
        match data:
            case {"op": "send", "channel": str(channel), "message": message}:
                self._put(channel, decode(message))
            case {"op": "group_add", "group": str(group), "channel": str(channel)}:
                background.submit(self._join(group, channel))
            case {"op": "group_discard", "group": str(group), "channel": str(channel)}:
                background.submit(self._leave(group, channel))

    def _deliver(self, group: str, message: dict[str, Any]) -> None:
        for channel in self._members.of(group):
            if self._owner(channel) is None and self._fallback is not None:
                background.submit(self._other_layer().send(channel, message))
            else:
                self._put(channel, copy.deepcopy(message))

    def _put(self, channel: str, message: dict[str, Any]) -> None:
        try:
            self._mailboxes.put(channel, message, self.get_capacity(channel))
        except MailboxFullError:
            logger.warning("%s has no room: a message was left out, as its consumer doesn't keep up", channel)

    async def _tell(self, owner: str, event: dict[str, Any]) -> None:
        await background.run(self._publish(calls.group_event(self._carried("process", owner), event)))

    async def _publish(self, call: Call) -> None:
        await self._client.request(call)

    def _carried(self, kind: str, name: str) -> str:
        """The group of back ends that carries something between the processes of this project."""
        full = f"{self.prefix}.{kind}.{name}"
        if len(full) <= LONGEST_GROUP:
            return full
        return f"{full[:30]}.{hashlib.sha256(full.encode()).hexdigest()}"

    def _carrier(self, kind: str, name: str) -> str:
        return carillon_channel("group", self._carried(kind, name))

    def _owner(self, channel: str) -> str | None:
        """The process that a channel is of; None for those that any may read."""
        return channel.partition("!")[0].rpartition(".")[2] if "!" in channel else None

    def _other_layer(self) -> Any:
        if self._fallback not in channel_layers:
            raise ConfigurationError(f"fallback names {self._fallback!r}, which CHANNEL_LAYERS doesn't have")
        return channel_layers[self._fallback]

    def _say_once(self, subject: str, text: str) -> None:
        if subject not in self._told and len(self._told) < 1_000:
            self._told.add(subject)
            logger.warning(text, subject)

    @staticmethod
    def _check_message(message: dict[str, Any]) -> None:
        if not isinstance(message, dict):
            raise AssertionError("a message is a dict")
