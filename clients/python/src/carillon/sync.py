"""The documents' functions for synchronous code: views, signals, Celery tasks, scripts.

from carillon.sync import send_notification
"""

from __future__ import annotations

import asyncio
from typing import Any

from . import default
from .calls import JSON, Id
from .client import Client


def broadcast_notification(user_id: Id, notification: JSON) -> Any:
    """A notification `{title, body or message, …}` to one user (document 1)."""
    return _client("broadcast_notification").notify(notification, user_id=user_id)


def broadcast_org_event(org_id: Id, event_type: str, data: JSON) -> Any:
    """An event to the members of an organisation (document 1)."""
    return _client("broadcast_org_event").publish_org_event(org_id, event_type, data)


def send_notification(user_id: Id, notification_data: JSON) -> Any:
    """A notification `{id, notification_type, title, message, …}` to one user (document 3)."""
    return _client("send_notification").notify(notification_data, user_id=user_id)


def send_user_notification(user_id: Id, title: str, message: str, priority: str = "normal") -> Any:
    """A notification to one user (document 2)."""
    notification = {"title": title, "message": message, "priority": priority}
    return _client("send_user_notification").notify(notification, user_id=user_id)


def send_chat_message(room_name: str, message: str, username: str = "System") -> Any:
    """A message in a chat room (document 2)."""
    return _client("send_chat_message").send_room_message(room_name, message, username)


def broadcast_counter_update(action: str, value: int) -> Any:
    """An update of the counter that everyone sees (document 2)."""
    return _client("broadcast_counter_update").update_counter(action, value)


def _client(function: str) -> Client:
    """The process's client, unless that would hold up an event loop: as `async_to_sync` does, it says so."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return default.client()
    raise RuntimeError(
        f"carillon.sync.{function} would hold up the event loop that it is called in: "
        f"await carillon.aio.{function} instead"
    )
