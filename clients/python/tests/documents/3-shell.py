# In Django shell
from channels.layers import get_channel_layer
from asgiref.sync import async_to_sync

channel_layer = get_channel_layer()
async_to_sync(channel_layer.group_send)(
    'user_1_notifications',
    {
        'type': 'notification_message',
        'data': {
            'id': 'test',
            'notification_type': 'general',
            'title': 'Test',
            'message': 'Hello from Django!',
            'timestamp': '2025-11-05T12:00:00Z',
        }
    }
)
