"""Document 3's signals: saving a ticket tells the project, and its assignee."""

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils import timezone

from tickets.models import Ticket


def send_notification(user_id, notification_data):
    async_to_sync(get_channel_layer().group_send)(
        f"user_{user_id}_notifications", {"type": "notification_message", "data": notification_data}
    )


@receiver(post_save, sender=Ticket)
def ticket_saved(sender, instance, created, **kwargs):
    data = {
        "ticket_id": instance.pk,
        "key": instance.key,
        "title": instance.title,
        "status": {"id": 1, "name": "Open", "color": "#1890ff"},
    }
    action = "created" if created else "updated"
    async_to_sync(get_channel_layer().group_send)(
        f"project_{instance.project_id}_tickets", {"type": "ticket_update", "action": action, "data": data}
    )
    if instance.assignee_id:
        send_notification(
            user_id=instance.assignee_id,
            notification_data={
                "id": f"ticket_{instance.pk}_assigned",
                "notification_type": "ticket_assigned",
                "title": "Ticket Assigned",
                "message": f"You were assigned to {instance.key}: {instance.title}",
                "ticket_id": instance.pk,
                "ticket_key": instance.key,
                "timestamp": timezone.now().isoformat(),
            },
        )
