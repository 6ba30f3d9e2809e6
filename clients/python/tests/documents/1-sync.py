from asgiref.sync import async_to_sync
from api.consumers import broadcast_notification, broadcast_org_event

# Send notification
async_to_sync(broadcast_notification)("user-123", {
    "title": "Task Complete",
    "body": "Your export is ready"
})

# Send org event
async_to_sync(broadcast_org_event)("org-456", "task.completed", {
    "task_id": "task-789"
})
