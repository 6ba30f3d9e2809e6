"""The peer "Django Channels": what its control connection says goes to a group of everybody else, over Redis pub/sub."""

import os
import socket

import django
import uvicorn
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [os.environ["REDIS_URL"]]},
        }
    },
)
django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402 (after the settings)
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402

GROUP = "bench"
BACKLOG = 1024


class Audience(AsyncWebsocketConsumer):
    groups = [GROUP]

    async def connect(self):
        await self.accept()
        await self.send(text_data='{"type":"connection_status"}')

    async def bench_message(self, event):
        await self.send(text_data=event["text"])


class Control(AsyncWebsocketConsumer):
    async def receive(self, text_data=None, bytes_data=None):
        await self.channel_layer.group_send(GROUP, {"type": "bench.message", "text": text_data})


application = ProtocolTypeRouter(
    {"websocket": URLRouter([path("", Audience.as_asgi()), path("control", Control.as_asgi())])}
)


def main():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(BACKLOG)
    print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(application, log_level="warning", access_log=False, lifespan="off", backlog=BACKLOG)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
