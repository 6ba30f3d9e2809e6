"""The consumers of documents 1 and 2, which Carillon takes the place of."""

import datetime
import json

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from live.models import Membership


class JSONConsumer(AsyncWebsocketConsumer):
    async def reply(self, frame):
        await self.send(json.dumps(frame))

    async def read(self, text_data, invalid):
        try:
            data = json.loads(text_data)
        except ValueError:
            await self.reply({"type": "error", "message": invalid})
            return None
        if data.get("type") == "ping":
            await self.reply({"type": "pong", "timestamp": data.get("timestamp")})
            return None
        return data


class NotificationConsumer(JSONConsumer):
    async def connect(self):
        await self.accept()
        user = self.scope["user"]
        if user is None:
            await self.close(4001)
            return
        self.group = f"notifications_{user.pk}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        greeting = {"type": "connection.established", "message": "Connected to notifications", "user_id": user.pk}
        await self.reply(greeting)

    async def disconnect(self, code):
        if hasattr(self, "group"):
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data=None, bytes_data=None):
        await self.read(text_data, "Invalid JSON")

    async def send_notification(self, event):
        notification = event.get("notification") or {k: v for k, v in event.items() if k != "type"}
        flat = {key: notification[key] for key in ("title", "message", "priority") if key in notification}
        await self.reply({"type": "notification", **flat, "notification": notification})


class EventConsumer(JSONConsumer):
    async def connect(self):
        await self.accept()
        user, org = self.scope["user"], self.scope["url_route"]["kwargs"]["org_id"]
        if user is None:
            await self.close(4001)
            return
        if not await is_member(user, org):
            await self.close(4003)
            return
        self.group = f"org_events_{org}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.reply({"type": "connection.established", "org_id": org, "user_id": user.pk})

    async def disconnect(self, code):
        if hasattr(self, "group"):
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data=None, bytes_data=None):
        await self.read(text_data, "Invalid JSON")

    async def org_event(self, event):
        await self.reply({"type": "event", "event_type": event["event_type"], "data": event["data"]})


class ChatConsumer(JSONConsumer):
    async def connect(self):
        self.group = f"chat_{self.scope['url_route']['kwargs']['room_name']}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()
        await self.channel_layer.group_send(self.group, {"type": "user_joined"})

    async def disconnect(self, code):
        await self.channel_layer.group_send(self.group, {"type": "user_left"})
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data=None, bytes_data=None):
        data = await self.read(text_data, "Invalid JSON format")
        if data is None:
            return
        if data.get("type") != "chat_message":
            await self.reply({"type": "error", "message": "Invalid message format"})
            return
        message = data.get("message") or ""
        if not 1 <= len(message) <= 1000:
            await self.reply({"type": "error", "message": "Invalid message (max 1000 characters)"})
            return
        user = self.scope["user"]
        username = user.username if user else data.get("username") or "Anonymous"
        timestamp = datetime.datetime.now().isoformat()
        event = {"type": "chat_message", "message": message, "username": username, "timestamp": timestamp}
        await self.channel_layer.group_send(self.group, event)

    async def chat_message(self, event):
        await self.reply({key: event[key] for key in ("type", "message", "username", "timestamp")})

    async def user_joined(self, event):
        await self.reply({"type": "notification", "message": "A user joined the room", "event": "user_joined"})

    async def user_left(self, event):
        await self.reply({"type": "notification", "message": "A user left the room", "event": "user_left"})


class CounterConsumer(JSONConsumer):
    counter = 0
    users = 0

    async def connect(self):
        await self.channel_layer.group_add("global_counter", self.channel_name)
        await self.accept()
        message = "Connected to counter"
        await self.reply({"type": "counter_update", "counter": CounterConsumer.counter, "message": message})
        CounterConsumer.users += 1
        await self.channel_layer.group_send("global_counter", {"type": "user_count"})

    async def disconnect(self, code):
        CounterConsumer.users -= 1
        await self.channel_layer.group_send("global_counter", {"type": "user_count"})
        await self.channel_layer.group_discard("global_counter", self.channel_name)

    async def receive(self, text_data=None, bytes_data=None):
        data = await self.read(text_data, "Invalid JSON format")
        if data is None:
            return
        if data.get("action") not in ("increment", "decrement", "reset"):
            await self.reply({"type": "error", "message": "Invalid message format"})
            return
        update = {"type": "counter_update", "action": data["action"], "value": data.get("value", 1)}
        update["timestamp"] = datetime.datetime.now().isoformat()
        steps = {"increment": update["value"], "decrement": -update["value"], "reset": -CounterConsumer.counter}
        CounterConsumer.counter += steps[update["action"]]
        await self.channel_layer.group_send("global_counter", update)

    async def counter_update(self, event):
        await self.reply({key: event[key] for key in ("type", "action", "value", "timestamp")})

    async def user_count(self, event):
        await self.reply({"type": "user_count_update", "count": CounterConsumer.users})


@database_sync_to_async
def is_member(user, org):
    return Membership.objects.filter(user=user, org_id=org).exists()
