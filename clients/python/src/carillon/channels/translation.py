"""Between the messages of Django's consumers and Carillon's publications and frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .. import calls
from ..calls import Call
from .groups import Destination

Message = Mapping[str, Any]


def publication(destination: Destination, message: Message) -> Call | None:
    """The publication that a message to a group is. None if it is nothing that clients of the channel get."""
    made = _PUBLICATIONS.get(destination.kind)
    return made(destination, message) if made else None


def consumers_message(destination: Destination, frame: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a group's consumers are told of a frame of its channel. None: nothing."""
    handler = destination.types.get(str(frame.get("type")))
    if handler is None:
        return None
    message = {name: value for name, value in frame.items() if name not in ("channel", "offset", "epoch")}
    if destination.kind in ("user", "everyone"):
        # As documents 1, 2 and 3 send it, whichever of these a consumer reads.
        message["data"] = message.get("notification", {})
    return {**message, "type": handler}


def _notification(destination: Destination, message: Message) -> Call | None:
    inner = message.get("notification")
    if not isinstance(inner, Mapping):
        data = message.get("data")
        is_wrapped = isinstance(data, Mapping) and "title" not in message
        inner = data if is_wrapped else _without_type(message)
    if not isinstance(inner, Mapping) or not inner.get("title") or not (inner.get("message") or inner.get("body")):
        return None
    if destination.kind == "everyone":
        return calls.notification(inner, everyone=True)
    return calls.notification(inner, user_id=destination.name)


def _org_event(destination: Destination, message: Message) -> Call | None:
    wrapped = message.get("event")
    event = wrapped if isinstance(wrapped, Mapping) else _without_type(message)
    event_type, data = event.get("event_type"), event.get("data", {})
    if not isinstance(event_type, str) or not event_type or not isinstance(data, Mapping):
        return None
    more = {name: value for name, value in event.items() if name not in ("event_type", "data")}
    return calls.org_event(destination.name, event_type, data, **more)


def _room_message(destination: Destination, message: Message) -> Call | None:
    text = message.get("message")
    if _type(message) != "chat_message" or not isinstance(text, str):
        return None
    return calls.room_message(destination.name, text, str(message.get("username") or "System"))


def _conversation_message(destination: Destination, message: Message) -> Call | None:
    body = message.get("message")
    inner: Message = body if isinstance(body, Mapping) else {}
    text = body if isinstance(body, str) else inner.get("content")
    if _type(message) != "chat_message" or not isinstance(text, str):
        return None
    sender = inner.get("sender") or message.get("sender")
    user = message.get("user_id") or (sender.get("id") if isinstance(sender, Mapping) else None)
    name = None if user is not None else str(message.get("username") or "System")
    return calls.conversation_message(destination.name, text, user_id=user, username=name)


def _counter_update(destination: Destination, message: Message) -> Call | None:
    action, value = message.get("action"), message.get("value", 1)
    is_one = action in ("increment", "decrement", "reset") and isinstance(value, int) and not isinstance(value, bool)
    return calls.counter_update(str(action), value, destination.name) if is_one else None


def _project_event(destination: Destination, message: Message) -> Call | None:
    if destination.channel.endswith(".presence") or not message.get("type"):
        return None
    is_of_tickets = _type(message) in ("ticket_update", "comment_added", "comment_updated", "comment_deleted")
    if is_of_tickets != destination.channel.endswith(".tickets"):
        return None
    return calls.project_event(destination.name, {**message, "type": _type(message)})


_PUBLICATIONS: Mapping[str, Callable[[Destination, Message], Call | None]] = {
    "user": _notification,
    "everyone": _notification,
    "org": _org_event,
    "room": _room_message,
    "conversation": _conversation_message,
    "counter": _counter_update,
    "project": _project_event,
}


def _type(message: Message) -> str:
    """Channels calls `chat.message` and `chat_message` alike."""
    return str(message.get("type", "")).replace(".", "_")


def _without_type(message: Message) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name != "type"}
