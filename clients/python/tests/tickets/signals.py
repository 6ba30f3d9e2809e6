"""Document 3's signals, with Carillon's helpers."""

from carillon import calls, send_notification
from carillon.django.signals import broadcast_on_save
from tickets.models import Ticket

__all__ = ["send_notification"]


def changed(ticket, action):
    data = {"ticket_id": ticket.pk, "key": f"PROJ-{ticket.pk}", "title": ticket.title}
    frame = {"type": "ticket_update", "action": action, "data": {**data, "status": {"id": 1, "name": ticket.status}}}
    notice = {"user_id": ticket.assignee, "title": "Ticket Assigned", "message": f"You were assigned to {data['key']}"}
    return calls.project_event(ticket.project, {**frame, "notify": notice})


broadcast_on_save(Ticket, changed)
