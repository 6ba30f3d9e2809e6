"""Groups that are Carillon's channels: both ways, between Django's consumers and front ends."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator

import carillon
from carillon import AsyncClient, calls
from carillon.channels import CarillonChannelLayer
from carillon.channels.groups import Groups
from conftest import front_end

# A consumer closes the database's old connections.
pytestmark = pytest.mark.django_db(transaction=True)

GROUPS = {
    "notifications": "everyone",
    "notifications_123": "user.123",
    "notifications_a.b-c": "user.a=2Eb-c",
    "user_1_notifications": "user.1",
    "org_5_events": "org.5",
    "org_events_5": "org.5",
    "events_5": "org.5",
    "org_5": "org.5",
    "chat_general": "room.general",
    "chat_17": "conversation.17",
    "global_counter": "counter.global",
    "counter_likes": "counter.likes",
    "project_1_tickets": "project.1.tickets",
    "project_1_presence": "project.1.presence",
    "project_1_events": "project.1.events",
    "test_group": None,
    "global_counters": None,
    "chat_": None,
}


@pytest.mark.parametrize(("group", "channel"), GROUPS.items())
def test_the_documents_groups(group, channel):
    found = Groups().destination(group)
    assert (found and found.channel) == channel


def test_rules_of_ones_own():
    own = {
        "inbox-{user}": "user.{user}",
        "lobby.{name}": {"channel": "room.{name}", "types": {"chat_message": "lobby_message"}},
        "org_{org}": None,
    }
    groups = Groups(own)
    assert groups.destination("inbox-7").channel == "user.7"
    assert groups.destination("lobby.x").types == {"chat_message": "lobby_message"}
    assert groups.destination("org_5") is None
    assert groups.destination("org_5_events").channel == "org.5"
    for wrong in ({"x_{a}": "user.{b}"}, {"x": 7}, {"x": {"types": {}}}):
        with pytest.raises(carillon.ConfigurationError):
            Groups(wrong)


class Echo(AsyncWebsocketConsumer):
    """A consumer that stays in Django: it passes on what its group is told."""

    async def connect(self):
        self.group = self.scope["path"].strip("/")
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def dispatch(self, message):
        if message["type"].startswith("websocket."):
            await super().dispatch(message)
        else:
            await self.send(json.dumps(message))


class Consumer:
    def __init__(self, group: str) -> None:
        self.communicator = WebsocketCommunicator(Echo.as_asgi(), f"/{group}")

    async def __aenter__(self):
        connected, _ = await self.communicator.connect(timeout=20)
        assert connected
        return self

    async def __aexit__(self, *_):
        await self.communicator.disconnect()

    async def told(self) -> dict:
        return json.loads(await self.communicator.receive_from(timeout=30))


@pytest.fixture
async def layer(gateway, settings):
    settings.CARILLON = {"URL": gateway.url, "TOKEN": gateway.token}
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "carillon.channels.CarillonChannelLayer"}}
    layer = get_channel_layer()
    yield layer
    await layer.close()


@pytest.fixture
async def client(gateway):
    async with AsyncClient(gateway.url, gateway.token) as client:
        yield client


@pytest.mark.parametrize("pattern", ["notifications_{}", "user_{}_notifications"])
async def test_a_users_notifications(layer, client, gateway, unique, pattern):
    user = unique("user")
    group, flat = pattern.format(user), {"title": "New Order", "message": "#456", "priority": "high"}
    handler = "notification_message" if pattern.startswith("user") else "send_notification"
    forms = [
        {"type": "send_notification", **flat},
        {"type": "notification.message", "notification": {**flat, "order_id": 456}},
        {"type": "notification_message", "data": {**flat, "id": "order_456", "notification_type": "order"}},
    ]
    async with Consumer(group) as consumer, front_end(gateway.websocket, "/ws/notifications/", user) as bell:
        await bell.until("connection.established")
        for form in forms:
            await layer.group_send(group, form)
            assert (await bell.until("notification"))["priority"] == "high"
            told = await consumer.told()
            assert (told["type"], told["title"], told["message"]) == (handler, "New Order", "#456")
            assert told["notification"] == told["data"]
        assert told["data"]["external_id"] == "order_456"
        # And what Django did not send: from another back end.
        await client.notify({"title": "Elsewhere", "message": "x"}, user_id=user)
        assert (await consumer.told())["title"] == "Elsewhere"


async def test_a_room(layer, gateway, unique):
    room = unique("room")
    async with Consumer(f"chat_{room}") as consumer, front_end(gateway.websocket, f"/ws/chat/{room}/") as alice:
        await layer.group_send(f"chat_{room}", {"type": "chat.message", "message": "From Django", "username": "Bot"})
        assert (await alice.until("chat_message"))["username"] == "Bot"
        assert (await consumer.told())["message"] == "From Django"
        await alice.send({"type": "chat_message", "message": "From a browser", "username": "john"})
        told = await consumer.told()
        assert (told["type"], told["message"], told["username"]) == ("chat_message", "From a browser", "john")


async def test_a_conversation(layer, client, gateway, unique):
    import httpx

    from gateway import user_token

    headers = {"authorization": f"Bearer {user_token('ann')}"}
    made = httpx.post(f"{gateway.url}/api/chat/conversations/", json={"participants": ["ben"]}, headers=headers)
    number = made.raise_for_status().json()["id"]
    async with (
        Consumer(f"chat_{number}") as consumer,
        front_end(gateway.websocket, f"/ws/chat/{number}/", "ben") as ben,
    ):
        await ben.until("conversation_joined")
        message = {"content": "Hello Ben", "sender": {"id": "ann"}}
        await layer.group_send(f"chat_{number}", {"type": "chat_message", "message": message})
        heard = (await ben.until("chat_message"))["message"]
        assert (heard["content"], heard["sender"]["id"]) == ("Hello Ben", "ann")
        assert (await consumer.told())["message"]["content"] == "Hello Ben"
        await layer.group_send(f"chat_{number}", {"type": "chat_message", "message": "of the system"})
        assert (await ben.until("chat_message"))["message"]["content"] == "of the system"


async def test_an_organisation(layer, gateway, unique):
    org, user = unique("org"), unique("user")
    gateway.organisation(org, user)
    async with (
        Consumer(f"org_{org}_events") as consumer,
        front_end(gateway.websocket, f"/ws/events/{org}/", user) as member,
    ):
        await member.until("connection.established")
        event = {"event_type": "resource.created", "data": {"id": 3}}
        await layer.group_send(f"org_{org}_events", {"type": "org.event", **event})
        await layer.group_send(f"org_events_{org}", {"type": "org_event", "event": {**event, "actor": "x"}})
        for _ in range(2):
            assert (await member.until("event", event_type="resource.created"))["data"] == {"id": 3}
            told = await consumer.told()
            while told["event_type"] == "member.joined":
                told = await consumer.told()
            assert (told["type"], told["event_type"], told["data"]) == ("org_event", "resource.created", {"id": 3})
        assert told["actor"] == "x"


async def test_a_counter(layer, gateway, unique):
    name = unique("counter")
    async with Consumer(f"counter_{name}") as consumer, front_end(gateway.websocket, f"/ws/counter/{name}/") as alice:
        await alice.until("counter_update")
        await layer.group_send(f"counter_{name}", {"type": "counter_update", "action": "increment", "value": 5})
        assert (await alice.until("counter_update", action="increment"))["counter"] == 5
        assert (await consumer.told())["counter"] == 5
        await alice.send({"action": "decrement", "value": 2})
        told = await consumer.told()
        assert (told["action"], told["value"], told["counter"]) == ("decrement", 2, 3)


async def test_a_project(layer, gateway, client, unique):
    gateway.project(9_001, "pat")
    async with (
        Consumer("project_9001_tickets") as consumer,
        Consumer("project_9001_presence") as watcher,
        front_end(gateway.websocket, "/ws/projects/9001/tickets/", "pat") as board,
    ):
        await board.until("connection_established")
        data = {"ticket_id": 123, "key": "P-456", "title": "Fix login bug"}
        update = {"type": "ticket_update", "action": "created", "data": data}
        await layer.group_send("project_9001_tickets", update)
        assert (await board.until("ticket_update"))["data"] == data
        assert await consumer.told() == update
        async with front_end(gateway.websocket, "/ws/projects/9001/presence/", "pat"):
            told = await watcher.told()
            assert (told["type"], told["action"], told["user_id"]) == ("user_status", "joined", "pat")


async def test_what_is_nothing_for_clients_reaches_the_consumers_and_the_log(layer, gateway, unique, caplog):
    room = unique("room")
    group = f"chat_{room}"
    async with Consumer(group) as consumer, front_end(gateway.websocket, f"/ws/chat/{room}/") as alice:
        with caplog.at_level(logging.WARNING, "carillon.channels"):
            for _ in range(2):
                await layer.group_send(group, {"type": "cache.cleared", "keys": [1]})
                assert await consumer.told() == {"type": "cache.cleared", "keys": [1]}
        assert caplog.text.count(f"{group}: cache.cleared is nothing that clients get") == 1
        await layer.group_send(group, {"type": "chat_message", "message": "now"})
        assert (await alice.until("chat_message"))["message"] == "now"


async def test_what_carillon_refuses_is_raised(layer):
    with pytest.raises(carillon.InvalidError, match="1000 characters"):
        await layer.group_send("chat_general", {"type": "chat_message", "message": "x" * 1001})
    with pytest.raises(carillon.NotFoundError):
        await layer.group_send("org_nowhere_events", {"type": "x", "event_type": "y", "data": {}})


async def test_a_rule_of_ones_own_at_work(gateway, client, unique):
    room = unique("room")
    own = {"lobby.{name}": {"channel": "room.{name}", "types": {"chat_message": "lobby_message"}}}
    layer = CarillonChannelLayer(gateway.url, gateway.token, groups=own)
    channel = await layer.new_channel()
    await layer.group_add(f"lobby.{room}", channel)
    await client.request(calls.room_message(room, "Hello"))
    assert (await asyncio.wait_for(layer.receive(channel), 10))["type"] == "lobby_message"
    await layer.close()
