from django.db.models.signals import post_save
from django.dispatch import receiver
from asgiref.sync import async_to_sync
from api.consumers import broadcast_org_event
from api.models import SampleResource

@receiver(post_save, sender=SampleResource)
def resource_saved(sender, instance, created, **kwargs):
    if created:
        async_to_sync(broadcast_org_event)(
            org_id=str(instance.org_id),
            event_type="resource.created",
            data={"resource_id": str(instance.id)}
        )
