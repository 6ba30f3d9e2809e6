from api.consumers import broadcast_notification, broadcast_org_event

# Send notification
await broadcast_notification("user-123", {
    "title": "Hello",
    "body": "You have a new message",
    "timestamp": "2025-01-15T10:30:00Z"
})

# Send org event
await broadcast_org_event("org-456", "resource.created", {
    "resource_id": "res-789",
    "resource_type": "document"
})
