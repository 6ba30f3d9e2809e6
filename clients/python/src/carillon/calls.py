"""What Carillon's HTTP API takes, as requests yet to be sent: the same for the sync and the async client."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

from .errors import ConfigurationError

Id = int | str
"""Users, organisations and projects have whole numbers or texts as ids."""

JSON = Mapping[str, Any]
Group = Literal["orgs", "projects"]

MOST_USERS = 1_000
"""The most users that one notification can name."""


@dataclass(frozen=True)
class Call:
    """A request. With an Idempotency-Key, or where its method says so, it can be repeated without harm."""

    method: str
    path: str
    body: JSON | None = None
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_publication(self) -> bool:
        return self.method == "POST"


def _path(*parts: object) -> str:
    return "/api/" + "".join(quote(str(part), safe="") + "/" for part in parts)


def notification(notification: JSON, **recipients: object) -> Call:
    """A notification to whom `recipients` names: one of user_id, user_ids, org_id and everyone."""
    named = {name: value for name, value in recipients.items() if value is not None}
    if len(named) != 1:
        raise ConfigurationError("a notification goes to one of user_id, user_ids, org_id and everyone=True")
    return Call("POST", _path("notifications", "send"), {**notification, **named})


def notifications(user_ids: Iterable[Id], body: JSON) -> list[Call]:
    """The same for any number of users: as few requests as that takes."""
    users = list(dict.fromkeys(user_ids))
    parts = [users[start : start + MOST_USERS] for start in range(0, len(users), MOST_USERS)]
    return [notification(body, user_ids=part) for part in parts]


def org_event(org_id: Id, event_type: str, data: JSON, **more: object) -> Call:
    return Call("POST", _path("orgs", org_id, "events"), {**more, "event_type": event_type, "data": data})


def room_message(room: str, message: str, username: str = "System") -> Call:
    return Call("POST", _path("chat", "rooms", room, "messages"), {"message": message, "username": username})


def conversation_message(
    conversation: Id, message: str, user_id: Id | None = None, username: str | None = None, **more: object
) -> Call:
    author = {"user_id": user_id, "username": username}
    body = {**more, "message": message, **{name: value for name, value in author.items() if value is not None}}
    return Call("POST", _path("chat", "conversations", conversation, "messages"), body)


def counter_update(action: str, value: int, name: str = "global") -> Call:
    return Call("POST", _path("counter", name), {"action": action, "value": value})


def counter(name: str = "global") -> Call:
    return Call("GET", _path("counter", name))


def project_event(project_id: Id, event: JSON) -> Call:
    return Call("POST", _path("projects", project_id, "events"), event)


def group_event(group: str, event: JSON) -> Call:
    """What back ends tell each other; no client hears it."""
    return Call("POST", _path("groups", group, "events"), event)


def create_group(kind: Group, group: Id, name: str, key: str | None = None) -> Call:
    more = {} if key is None else {"key": key}
    return Call("POST", _path("auth", kind), {**more, "id": group, "name": name})


def replace_members(kind: Group, group: Id, members: Iterable[Id]) -> Call:
    return Call("PUT", _path("auth", kind, group, "members"), {"members": list(members)})


def add_member(kind: Group, group: Id, user: Id) -> Call:
    return Call("PUT", _path("auth", kind, group, "members", user))


def remove_member(kind: Group, group: Id, user: Id) -> Call:
    return Call("DELETE", _path("auth", kind, group, "members", user))
