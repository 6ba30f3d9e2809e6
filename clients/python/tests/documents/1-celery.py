from celery import shared_task
from asgiref.sync import async_to_sync
from api.consumers import broadcast_notification

@shared_task
def export_data(user_id, file_path):
    # ... export logic ...

    async_to_sync(broadcast_notification)(user_id, {
        "title": "Export Complete",
        "body": "Your data export is ready",
        "action_url": file_path
    })
