from channels.layers import get_channel_layer
from asgiref.sync import async_to_sync
import datetime

def send_user_notification(user_id, title, message, priority='normal'):
    channel_layer = get_channel_layer()
    
    async_to_sync(channel_layer.group_send)(
        f'notifications_{user_id}',
        {
            'type': 'send_notification',
            'title': title,
            'message': message,
            'priority': priority,
            'timestamp': datetime.datetime.now().isoformat()
        }
    )

# Usage
send_user_notification(
    user_id=123,
    title='New Order',
    message='Order #456 has been received',
    priority='high'
)
