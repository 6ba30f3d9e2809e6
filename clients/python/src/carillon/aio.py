"""The documents' functions, to be awaited (S1-03, S2-05, S2-07, S3-04).

In a Django project they take the place of those in its consumers:

from carillon.aio import broadcast_notification, broadcast_org_event
"""

from __future__ import annotations

from typing import Any

from . import default
from .calls import JSON, Id


async def broadcast_notification(user_id: Id, notification: JSON) -> Any:
    """A notification `{title, body or message, …}` to one user (document 1)."""
    return await default.run(lambda client: client.notify(notification, user_id=user_id))


async def broadcast_org_event(org_id: Id, event_type: str, data: JSON) -> Any:
    """An event to the members of an organisation (document 1)."""
    return await default.run(lambda client: client.publish_org_event(org_id, event_type, data))


async def send_notification(user_id: Id, notification_data: JSON) -> Any:
    """A notification `{id, notification_type, title, message, …}` to one user (document 3)."""
    return await default.run(lambda client: client.notify(notification_data, user_id=user_id))


async def send_user_notification(user_id: Id, title: str, message: str, priority: str = "normal") -> Any:
    """A notification to one user (document 2)."""
    notification = {"title": title, "message": message, "priority": priority}
    return await default.run(lambda client: client.notify(notification, user_id=user_id))


async def send_chat_message(room_name: str, message: str, username: str = "System") -> Any:
    """A message in a chat room (document 2)."""
    return await default.run(lambda client: client.send_room_message(room_name, message, username))


async def broadcast_counter_update(action: str, value: int) -> Any:
    """An update of the counter that everyone sees (document 2)."""
    return await default.run(lambda client: client.update_counter(action, value))
