from channels.layers import get_channel_layer
from asgiref.sync import async_to_sync

def send_chat_message(room_name, message, username='System'):
    channel_layer = get_channel_layer()
    
    async_to_sync(channel_layer.group_send)(
        f'chat_{room_name}',
        {
            'type': 'chat_message',
            'message': message,
            'username': username,
            'timestamp': str(datetime.now().isoformat())
        }
    )
