"""What a client can publish, written once: `Client` gives answers, `AsyncClient` awaitable ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from . import calls
from .calls import JSON, Call, Group, Id

Answer = TypeVar("Answer")


class Publishing(Generic[Answer]):
    """The publications. Each takes an `idempotency_key`, by which it is made once however often it is sent;
    without one it gets its own, so that it can be tried again."""

    def request(self, call: Call, *, idempotency_key: str | None = None) -> Answer:
        """Sends a call, again while that is safe and may help."""
        raise NotImplementedError

    def notify(
        self,
        notification: JSON,
        *,
        user_id: Id | None = None,
        user_ids: Iterable[Id] | None = None,
        org_id: Id | None = None,
        everyone: bool | None = None,
        idempotency_key: str | None = None,
    ) -> Answer:
        """A notification `{title, message, priority?, …}` to one user, up to a thousand, or all."""
        named = None if user_ids is None else list(user_ids)
        call = calls.notification(notification, user_id=user_id, user_ids=named, org_id=org_id, everyone=everyone)
        return self.request(call, idempotency_key=idempotency_key)

    def publish_org_event(
        self,
        org_id: Id,
        event_type: str,
        data: JSON,
        *,
        idempotency_key: str | None = None,
        **more: object,
    ) -> Answer:
        """An event to the members of an organisation who are connected; `more` are further fields of its frame."""
        return self.request(calls.org_event(org_id, event_type, data, **more), idempotency_key=idempotency_key)

    def send_room_message(
        self, room: str, message: str, username: str = "System", *, idempotency_key: str | None = None
    ) -> Answer:
        """A message in a chat room."""
        return self.request(calls.room_message(room, message, username), idempotency_key=idempotency_key)

    def send_conversation_message(
        self,
        conversation_id: Id,
        message: str,
        *,
        user_id: Id | None = None,
        username: str | None = None,
        idempotency_key: str | None = None,
        **more: object,
    ) -> Answer:
        """A message in a conversation, in a participant's name or one of its own."""
        call = calls.conversation_message(conversation_id, message, user_id, username, **more)
        return self.request(call, idempotency_key=idempotency_key)

    def update_counter(
        self, action: str, value: int = 1, name: str = "global", *, idempotency_key: str | None = None
    ) -> Answer:
        """Increments, decrements or resets a counter."""
        return self.request(calls.counter_update(action, value, name), idempotency_key=idempotency_key)

    def counter(self, name: str = "global") -> Answer:
        """A counter's total: `{name, counter}`."""
        return self.request(calls.counter(name))

    def publish_project_event(self, project_id: Id, event: JSON, *, idempotency_key: str | None = None) -> Answer:
        """A frame to those who are at a project, `{type, …}`; its `notify` is one notification or several."""
        return self.request(calls.project_event(project_id, event), idempotency_key=idempotency_key)

    def publish_to_group(self, group: str, event: JSON, *, idempotency_key: str | None = None) -> Answer:
        """Something that only other back ends hear."""
        return self.request(calls.group_event(group, event), idempotency_key=idempotency_key)

    def create_group(self, kind: Group, group_id: Id, name: str, key: str | None = None) -> Answer:
        """Makes an organisation (`orgs`) or a project (`projects`), whose tickets' keys begin with `key`. Raises
        ConflictError if it is there already."""
        return self.request(calls.create_group(kind, group_id, name, key))

    def set_members(self, kind: Group, group_id: Id, members: Iterable[Id]) -> Answer:
        """Replaces all members of an organisation (`orgs`) or a project (`projects`)."""
        return self.request(calls.replace_members(kind, group_id, members))

    def add_member(self, kind: Group, group_id: Id, user_id: Id) -> Answer:
        """Adds a member. Its connections may use that at once."""
        return self.request(calls.add_member(kind, group_id, user_id))

    def remove_member(self, kind: Group, group_id: Id, user_id: Id) -> Answer:
        """Removes a member. Connections that needed it are closed."""
        return self.request(calls.remove_member(kind, group_id, user_id))


def merged(publications: Iterable[Call]) -> list[tuple[Call, list[int]]]:
    """The requests that a batch takes, each with the places of those it stands for: the same notification to
    many users is one request. The order of the others, and of each user's notifications, stays."""
    requests: list[tuple[Call, list[int]]] = []
    last: tuple[dict[str, Any], list[Id]] | None = None
    for place, call in enumerate(publications):
        body = dict(call.body or {})
        user = body.pop("user_id", None) if call.path == "/api/notifications/send/" else None
        if user is None:
            requests.append((call, [place]))
            last = None
        elif last and last[0] == body and len(last[1]) < calls.MOST_USERS and user not in last[1]:
            last[1].append(user)
            requests[-1] = (calls.notification(body, user_ids=list(last[1])), [*requests[-1][1], place])
        else:
            requests.append((call, [place]))
            last = (body, [user])
    return requests
