"""Publishes to Carillon, the real-time tier, and listens to it.

The functions here are those of the documents, each sync or async as its document has it; `carillon.aio` and
`carillon.sync` have all of them in either form.
"""

from .aio import broadcast_notification, broadcast_org_event
from .async_client import AsyncClient
from .client import Client
from .errors import (
    BatchError,
    CarillonError,
    ChannelRefusedError,
    ConfigurationError,
    ConflictError,
    ConnectionClosedError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    RequestError,
    UnauthorizedError,
    UnavailableError,
    UnreachableError,
)
from .names import channel
from .settings import Settings
from .subscriber import Dropped, Ended, Event, Gap, Recovered, Subscribed, Subscriber
from .sync import broadcast_counter_update, send_chat_message, send_notification, send_user_notification

__version__ = "0.1.0"

__all__ = [
    "AsyncClient",
    "BatchError",
    "CarillonError",
    "ChannelRefusedError",
    "Client",
    "ConfigurationError",
    "ConflictError",
    "ConnectionClosedError",
    "Dropped",
    "Ended",
    "Event",
    "ForbiddenError",
    "Gap",
    "InvalidError",
    "NotFoundError",
    "Recovered",
    "RequestError",
    "Settings",
    "Subscribed",
    "Subscriber",
    "UnauthorizedError",
    "UnavailableError",
    "UnreachableError",
    "broadcast_counter_update",
    "broadcast_notification",
    "broadcast_org_event",
    "channel",
    "send_chat_message",
    "send_notification",
    "send_user_notification",
]
