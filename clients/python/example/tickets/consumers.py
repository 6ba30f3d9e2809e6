"""Document 3's consumers."""

from channels.db import database_sync_to_async

from live.consumers import JSONConsumer
from tickets.models import Project


class NotificationConsumer(JSONConsumer):
    async def connect(self):
        await self.accept()
        user = self.scope["user"]
        if user is None:
            await self.close(4001)
            return
        self.group = f"user_{user.pk}_notifications"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.reply({"type": "connection_established", "message": "Connected to notifications"})

    async def disconnect(self, code):
        if hasattr(self, "group"):
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data=None, bytes_data=None):
        await self.read(text_data, "Invalid JSON")

    async def notification_message(self, event):
        await self.reply({"type": "notification_message", "data": event["data"]})


class TicketConsumer(JSONConsumer):
    async def connect(self):
        await self.accept()
        user, project = self.scope["user"], self.scope["url_route"]["kwargs"]["project_id"]
        if user is None:
            await self.close(4001)
            return
        if not await is_member(user, project):
            await self.close(4003)
            return
        self.group = f"project_{project}_tickets"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.reply({"type": "connection_established", "message": "Connected to project tickets"})

    async def disconnect(self, code):
        if hasattr(self, "group"):
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data=None, bytes_data=None):
        await self.read(text_data, "Invalid JSON")

    async def ticket_update(self, event):
        await self.reply({key: event[key] for key in ("type", "action", "data")})


@database_sync_to_async
def is_member(user, project):
    return Project.objects.filter(pk=project, members=user).exists()
