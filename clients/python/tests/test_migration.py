"""docs/migrating-from-channels.md: the example project with its own consumers, and with Carillon, for one front end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

import servers
from conftest import front_end
from documentation import REPOSITORY, block
from gateway import Gateway

GUIDE = REPOSITORY / "docs" / "migrating-from-channels.md"

PEOPLE = """
from django.contrib.auth import get_user_model
from live.models import Organization, Membership
from tickets.models import Project, ProjectMember
make = get_user_model().objects.create_user
alice, bob = make("alice", password="carillon"), make("bob", password="carillon")
acme, project = Organization.objects.create(pk="acme"), Project.objects.create(pk=1)
for user in (alice, bob):
    ProjectMember.objects.create(project=project, user=user)
Membership.objects.create(org=acme, user=alice)
"""


@dataclass
class Site:
    """What a front end knows of the project: where it is."""

    port: int

    @property
    def websocket(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def post(self, path: str, body: dict) -> dict:
        async with httpx.AsyncClient(timeout=30) as client:
            answer = await client.post(f"http://127.0.0.1:{self.port}{path}", json=body)
            answer.raise_for_status()
            return answer.json()


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    database = tmp_path_factory.mktemp("before") / "db.sqlite3"
    variables = servers.environment(database, DJANGO_SETTINGS_MODULE="project.settings")
    servers.manage(variables, "migrate", "--run-syncdb")
    servers.manage(variables, "shell", "-c", PEOPLE)
    return database


@pytest.fixture(params=["1", "3"])
def document(request):
    """Whose front end it is."""
    return request.param


@pytest.fixture(params=["before", "after"])
def site(request, document, database, tmp_path):
    own = {"DOCUMENT": document}
    if request.param == "before":
        variables = servers.environment(database, DJANGO_SETTINGS_MODULE="project.settings", **own)
        with servers.daphne(variables, tmp_path / "daphne.log") as port:
            yield Site(port)
        return
    options = ["--default-dialect", "ticketing"] if document == "3" else []
    gateway = Gateway(tmp_path, "--trusted-proxies", "127.0.0.1", *options)
    own |= {"CARILLON_URL": gateway.url, "CARILLON_TOKEN": gateway.token}
    variables = servers.environment(database, DJANGO_SETTINGS_MODULE="project.carillon", **own)
    servers.manage(variables, "check")
    assert "orgs acme: 1 members\nprojects 1: 2 members" in servers.manage(variables, "carillon_sync")
    assert "failed" not in servers.manage(variables, "carillon_check")
    rule = block(GUIDE, "nginx", "location /ws/")
    with (
        servers.gunicorn(variables, tmp_path / "gunicorn.log") as django,
        servers.nginx(tmp_path, rule, gateway.port, django) as port,
    ):
        yield Site(port)
    gateway.stop()


async def log_in(site: Site, username: str) -> str:
    return (await site.post("/api/token/", {"username": username, "password": "carillon"}))["access"]


async def closed_with(site: Site, path: str, **query: str) -> int:
    async with front_end(site.websocket, path, **query) as client:
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await client.frame()
        return closed.value.rcvd.code


async def test_a_front_end_sees_the_same_before_and_after(site, document):
    alice, bob = await log_in(site, "alice"), await log_in(site, "bob")
    if document == "1":
        await notifications(site, alice)
        await events(site, alice, bob)
        await chat(site)
        await counter(site)
    else:
        await tickets(site, alice, bob)


async def notifications(site: Site, alice: str):
    async with front_end(site.websocket, "/ws/notifications/", token=alice) as client:
        assert (await client.until("connection.established"))["user_id"] == 1
        await client.send({"type": "ping", "timestamp": "2025-01-15T10:30:00Z"})
        assert (await client.until("pong"))["timestamp"] == "2025-01-15T10:30:00Z"
        await client.socket.send("no json")
        assert (await client.until("error"))["message"] == "Invalid JSON"
        report = {"title": "Task Complete", "body": "Your export is ready", "action_url": "/downloads/export.csv"}
        await site.post("/api/notify/", {"user_id": 1, **report})
        frame = await client.until("notification")
        assert {name: frame["notification"][name] for name in report} == report
        await site.post("/api/orders/", {"user_id": 1})
        frame = await client.until("notification")
        assert (frame["title"], frame["priority"]) == ("New Order", "high")
    assert await closed_with(site, "/ws/notifications/", token="nonsense") == 4001


async def events(site: Site, alice: str, bob: str):
    async with front_end(site.websocket, "/ws/events/acme/", token=alice) as client:
        await client.until("connection.established")
        made = await site.post("/api/resources/", {"org_id": "acme", "name": "A"})
        frame = await client.until("event", event_type="resource.created")
        assert frame["data"] == {"resource_id": str(made["id"])}
    assert await closed_with(site, "/ws/events/acme/", token=bob) == 4003
    assert await closed_with(site, "/ws/events/acme/") == 4001


async def chat(site: Site):
    async with front_end(site.websocket, "/ws/chat/general/") as first:
        # Its own words come back, so it is there.
        await first.send({"type": "chat_message", "message": "Anybody?", "username": "john_doe"})
        frame = await first.until("chat_message")
        assert (frame["message"], frame["username"]) == ("Anybody?", "john_doe")
        assert frame["timestamp"]
        async with front_end(site.websocket, "/ws/chat/general/") as second:
            assert (await first.until("notification", event="user_joined"))["message"] == "A user joined the room"
            await second.send({"type": "chat_message", "message": "Hello"})
            for client in (first, second):
                assert (await client.until("chat_message", message="Hello"))["username"] == "Anonymous"
            await site.post("/api/say/", {"room_name": "general", "message": "From Django"})
            for client in (first, second):
                assert (await client.until("chat_message", message="From Django"))["username"] == "System"
            await second.send({"type": "chat_message", "message": "x" * 1001})
            assert (await second.until("error"))["message"] == "Invalid message (max 1000 characters)"
            await second.socket.send("{")
            assert (await second.until("error"))["message"] == "Invalid JSON format"


async def counter(site: Site):
    async with front_end(site.websocket, "/ws/counter/") as first:
        assert (await first.until("counter_update", message="Connected to counter"))["counter"] == 0
        assert (await first.until("user_count_update"))["count"] == 1
        async with front_end(site.websocket, "/ws/counter/") as second:
            assert (await first.until("user_count_update", count=2))["count"] == 2
            await second.send({"action": "increment", "value": 5})
            for client in (first, second):
                frame = await client.until("counter_update", action="increment")
                assert frame["value"] == 5
                assert frame["timestamp"]
            await site.post("/api/count/", {"action": "decrement", "value": 2})
            for client in (first, second):
                assert (await client.until("counter_update", action="decrement"))["value"] == 2


async def tickets(site: Site, alice: str, bob: str):
    async with (
        front_end(site.websocket, "/ws/projects/1/tickets/", token=alice) as board,
        front_end(site.websocket, "/ws/notifications/", token=bob) as bell,
    ):
        await asyncio.gather(board.until("connection_established"), bell.until("connection_established"))
        made = await site.post("/api/tickets/", {"project_id": 1, "title": "Fix login bug", "assignee_id": 2})
        frame = await board.until("ticket_update")
        status = {"id": 1, "name": "Open", "color": "#1890ff"}
        key = f"PROJ-{made['id']}"
        ticket = {"ticket_id": made["id"], "key": key, "title": "Fix login bug", "status": status}
        assert (frame["action"], frame["data"]) == ("created", ticket)
        told = (await bell.until("notification_message"))["data"]
        assert (told["id"], told["notification_type"]) == (f"ticket_{made['id']}_assigned", "ticket_assigned")
        assert (told["ticket_id"], told["ticket_key"], told["title"]) == (made["id"], key, "Ticket Assigned")


def test_the_settings_that_change_are_those_of_the_guide():
    changed = (servers.EXAMPLE / "project" / "carillon.py").read_text()
    assert changed.endswith(block(GUIDE, "python", "MEMBERS"))
