"""Where document 1 has them."""

from carillon import broadcast_notification, broadcast_org_event

__all__ = ["broadcast_notification", "broadcast_org_event"]
