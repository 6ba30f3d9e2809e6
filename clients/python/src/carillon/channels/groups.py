"""Which groups of a Django project are channels of Carillon.

A rule is a pattern and a `Target`. The rules of the documents come first-hand; CONFIG's `groups` adds others, or
takes one away by naming its pattern with None.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import ConfigurationError
from ..names import escape

_PARAMETER = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True)
class Target:
    """The channel of a group, and what of it consumers hear."""

    channel: str
    """As `user.{user}`, with the pattern's parameters."""
    types: Mapping[str, str] = field(default_factory=dict)
    """The frames that consumers are told of, by type, and the type of the message that they get."""


_NOTIFICATION = "notification"

DEFAULT_RULES: Mapping[str, Target] = {
    # Documents 1 and 2, and document 3: a user's notifications.
    "notifications": Target("everyone", {_NOTIFICATION: "send_notification"}),
    "notifications_{user}": Target("user.{user}", {_NOTIFICATION: "send_notification"}),
    "user_{user}_notifications": Target("user.{user}", {_NOTIFICATION: "notification_message"}),
    # Document 1: an organisation's events.
    "org_{org}_events": Target("org.{org}", {"event": "org_event"}),
    "org_events_{org}": Target("org.{org}", {"event": "org_event"}),
    "events_{org}": Target("org.{org}", {"event": "org_event"}),
    "org_{org}": Target("org.{org}", {"event": "org_event"}),
    # Documents 2 and 4: chat. A name of digits is a conversation's.
    "chat_{room}": Target("room.{room}", {"chat_message": "chat_message"}),
    # Document 2: counters.
    "global_counter": Target("counter.global", {"counter_update": "counter_update"}),
    "counter_{name}": Target("counter.{name}", {"counter_update": "counter_update"}),
    # Document 3: projects.
    "project_{project}_tickets": Target(
        "project.{project}.tickets",
        {name: name for name in ("ticket_update", "comment_added", "comment_updated", "comment_deleted")},
    ),
    "project_{project}_presence": Target(
        "project.{project}.presence", {name: name for name in ("user_status", "ticket_viewing", "user_typing")}
    ),
    "project_{project}_events": Target("project.{project}.events"),
}


@dataclass(frozen=True)
class Destination:
    """A group that is a channel."""

    channel: str
    kind: str
    parameters: Mapping[str, str]
    types: Mapping[str, str]

    @property
    def name(self) -> str:
        """What the channel's kind is of: a user, a room, a project."""
        return next(iter(self.parameters.values()), "")


class Groups:
    """The rules of a layer."""

    def __init__(self, rules: Mapping[str, Any] | None = None) -> None:
        merged: dict[str, Any] = {**(rules or {}), **{k: v for k, v in DEFAULT_RULES.items() if k not in (rules or {})}}
        self._rules = [_Rule(pattern, _target(pattern, it)) for pattern, it in merged.items() if it is not None]
        # Of two patterns that fit the one with more text of its own says more.
        self._rules.sort(key=lambda rule: -rule.weight)

    def destination(self, group: str) -> Destination | None:
        """The channel that a group is, if it is one of Carillon's."""
        return next((found for rule in self._rules if (found := rule.destination(group))), None)


class _Rule:
    def __init__(self, pattern: str, target: Target) -> None:
        parts = _PARAMETER.split(pattern)
        self.weight = sum(len(text) for text in parts[::2])
        names = parts[1::2]
        texts = "".join(f"(?P<{part}>.+)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
        self._expression, self._target = re.compile(texts), target
        unknown = set(_PARAMETER.findall(target.channel)) - set(names)
        if unknown:
            raise ConfigurationError(f"{pattern}: {target.channel} has a parameter that the pattern lacks")

    def destination(self, group: str) -> Destination | None:
        found = self._expression.fullmatch(group)
        if found is None:
            return None
        parameters = found.groupdict()
        kind, *words = self._target.channel.split(".")
        if kind == "room" and parameters.get("room", "").isdecimal():
            kind = "conversation"
        used = {name: parameters[name] for name in _PARAMETER.findall(self._target.channel)}
        filled = [escape(_PARAMETER.sub(lambda match: parameters[match[1]], word)) for word in words]
        if not used and len(words) == 1:
            used = {"name": words[0]}
        return Destination(".".join([kind, *filled]), kind, used, self._target.types)


def _target(pattern: str, value: Any) -> Target:
    if isinstance(value, Target):
        return value
    if isinstance(value, str):
        return Target(value)
    if isinstance(value, Mapping) and isinstance(value.get("channel"), str):
        return Target(value["channel"], dict(value.get("types", {})))
    raise ConfigurationError(f'groups[{pattern!r}] has to be "user.{{user}}", {{"channel": …, "types": …}} or None')
