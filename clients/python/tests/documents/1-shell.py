python manage.py shell

from channels.layers import get_channel_layer
channel_layer = get_channel_layer()

# Send test message
import asyncio
asyncio.run(channel_layer.group_send("test_group", {
    "type": "test.message",
    "text": "Hello"
}))
