"""`carillon.django`: settings, signals, members, tokens and the command, with a real Django."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging

import jwt
import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import transaction

import carillon
from carillon import Client
from carillon.django.checks import check_settings
from carillon.django.members import keep_members
from carillon.django.signals import broadcast_on_save, broadcasts, publish_on_commit
from carillon.django.tokens import user_token
from conftest import front_end
from gateway import SECRET, Gateway
from shop.models import Comment, Membership, Resource, Task


@pytest.fixture
def configured(gateway: Gateway, settings):
    """The tests' Django, with the shared gateway."""
    settings.CARILLON = {**settings.CARILLON, "URL": gateway.url, "TOKEN": gateway.token, "RAISE": True}
    return gateway


@pytest.mark.django_db(transaction=True)
async def test_a_save_is_told_after_the_commit_and_no_sooner(configured, unique):
    org, user = unique("org"), unique("user")
    configured.organisation(org, user)
    async with front_end(configured.websocket, f"/ws/events/{org}/", user) as alice:
        await alice.until("connection.established")

        def work():
            with transaction.atomic():
                resource = Resource.objects.create(org=org, name="A", price="1.50")
                # Had the first been told before its commit, this would come after it.
                publish_now(org, "in.between")
            try:
                with transaction.atomic():
                    Resource.objects.create(org=org, name="never")
                    raise LookupError
            except LookupError:
                pass
            resource.name = "B"
            resource.save()
            number = resource.pk
            resource.delete()
            return number

        number = await threaded(work)
        frames = []
        while not frames or frames[-1]["event_type"] != "resource.deleted":
            frames.append(await alice.until("event"))
        told = [(frame["event_type"], frame["data"].get("name")) for frame in frames]
        assert [it for it in told if it[0] != "member.joined"] == [
            ("in.between", None),
            ("resource.created", "A"),
            ("resource.updated", "B"),
            ("resource.deleted", "B"),
        ]
        assert frames[-1]["data"] == {"id": number, "name": "B", "price": "1.50"}


def publish_now(org: str, event: str) -> None:
    carillon.default.client().publish_org_event(org, event, {})


async def threaded(function):
    from asgiref.sync import sync_to_async

    return await sync_to_async(function)()


@pytest.mark.django_db(transaction=True)
async def test_a_project_and_a_user_are_told(configured, unique):
    user, number = unique("user"), 7_001
    configured.project(number, user)
    async with (
        front_end(configured.websocket, f"/ws/projects/{number}/events/", user) as board,
        front_end(configured.websocket, "/ws/notifications/", user) as bell,
    ):
        await asyncio.gather(board.until("connection_established"), bell.until("connection.established"))
        await threaded(lambda: Task.objects.create(project=number, assignee=user, name="Sweep"))
        assert (await board.until("task.created"))["data"]["message"] == "Sweep"
        told = await bell.until("notification")
        assert (told["title"], told["notification"]["notification_type"]) == ("Task", "task.created")


@pytest.mark.django_db(transaction=True)
async def test_a_function_says_what_is_told(configured, unique):
    room = unique("room")
    async with front_end(configured.websocket, f"/ws/chat/{room}/") as alice:
        comment = await threaded(lambda: Comment.objects.create(room=room, text="first"))
        assert (await alice.until("chat_message"))["message"] == "created: first"
        await threaded(comment.delete)
        assert (await alice.until("chat_message"))["message"] == "deleted: first"


@pytest.mark.django_db(transaction=True)
def test_a_failure_does_not_undo_what_happened(configured, settings, caplog):
    settings.CARILLON = {**settings.CARILLON, "RAISE": False}
    with caplog.at_level(logging.ERROR):
        Resource.objects.create(org="nowhere", name="A")
    assert "what was committed could not be told: 404" in caplog.text
    assert Resource.objects.filter(name="A").exists()
    settings.CARILLON = {**settings.CARILLON, "RAISE": True}
    with pytest.raises(carillon.NotFoundError):
        Resource.objects.create(org="nowhere", name="A")


def test_what_makes_no_sense_is_refused_when_it_is_written():
    with pytest.raises(ValueError, match="one of org, user and project"):
        broadcasts()
    with pytest.raises(ValueError, match="title and message"):
        broadcasts(user="user")
    with pytest.raises(ValueError, match="and not saved"):
        broadcast_on_save(Comment, lambda *_: None, on=["saved"])
    with pytest.raises(carillon.ConfigurationError, match="through"):
        keep_members(get_user_model().groups.through, "orgs", group="group_id", user="user_id")
    publish_on_commit(None)


@pytest.mark.django_db(transaction=True)
def test_memberships_are_kept_in_step(configured, unique):
    org = unique("org")
    configured.organisation(org)
    first = Membership.objects.create(org=org, user="a")
    Membership.objects.create(org=org, user="b")
    first.delete()
    path = f"/api/auth/orgs/{org}/members/"
    assert configured.admin("GET", path)["members"] == ["b"]
    # One that Carillon has not heard of, and members that it has heard of by mistake.
    configured.admin("PUT", path, {"members": ["x", "y"]})
    other = unique("org")
    Membership.objects.bulk_create([Membership(org=other, user="c"), Membership(org=other, user="d")])
    call_command("carillon_sync")
    assert configured.admin("GET", path)["members"] == ["b"]
    assert configured.admin("GET", f"/api/auth/orgs/{other}/members/")["members"] == ["c", "d"]


@pytest.mark.django_db(transaction=True)
async def test_a_front_ends_token_is_signed_with_djangos_key(configured):
    user = await threaded(lambda: get_user_model().objects.create_user("alice", first_name="Alice"))
    token = user_token(user)
    claims = jwt.decode(token, SECRET, algorithms=["HS256"])
    assert (claims["user_id"], claims["username"], claims["exp"] - claims["iat"]) == (user.pk, "alice", 300)
    async with front_end(configured.websocket, "/ws/notifications/", token=token) as alice:
        assert (await alice.until("connection.established"))["user_id"] == user.pk


@pytest.mark.django_db(transaction=True)
async def test_simple_jwts_token_is_taken(configured):
    from rest_framework_simplejwt.tokens import AccessToken

    user = await threaded(lambda: get_user_model().objects.create_user("bob"))
    async with front_end(configured.websocket, "/ws/notifications/", token=str(AccessToken.for_user(user))) as bob:
        assert str((await bob.until("connection.established"))["user_id"]) == str(user.pk)


def test_settings_come_from_django_before_the_environment(settings, monkeypatch, tmp_path):
    monkeypatch.setenv("CARILLON_URL", "http://of.the.environment")
    settings.CARILLON = {"URL": "http://of.django", "TIMEOUT": 3}
    with Client() as client:
        assert (client.settings.url, client.settings.timeout) == ("http://of.django", 3)
    (tmp_path / "token").write_text("secret")
    settings.CARILLON = {"TOKEN_FILE": str(tmp_path / "token")}
    with Client() as client:
        assert (client.settings.url, client.settings.token) == ("http://of.the.environment", "secret")


def test_the_system_check_names_what_is_wrong(settings):
    settings.CARILLON = {"URL": "of.django"}
    assert [it.id for it in check_settings()] == ["carillon.E001"]
    settings.CARILLON = {"URI": "http://of.django", "TOKEN": "x"}
    assert [it.id for it in check_settings()] == ["carillon.E002"]
    settings.CARILLON = {"URL": "http://of.django"}
    assert [it.id for it in check_settings()] == ["carillon.W001"]
    settings.CARILLON = {"URL": "http://of.django", "TOKEN": "x", "RAISE": True}
    assert check_settings() == []


LAYER = {"default": {"BACKEND": "carillon.channels.CarillonChannelLayer"}}


def findings(capsys, *arguments: str) -> dict[str, dict]:
    """What the command says, by check."""
    with contextlib.suppress(CommandError):
        call_command("carillon_check", "--json", *arguments)
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] == all(it["status"] != "failed" for it in report["checks"])
    return {it["check"]: it for it in report["checks"]}


def test_the_command_finds_nothing_wrong(configured, settings, capsys):
    settings.CHANNEL_LAYERS = LAYER
    found = findings(capsys, "--origin", "http://localhost:3000")
    assert {it["status"] for it in found.values()} == {"ok"}
    assert found.keys() >= {"address", "scope chat:send", "front-end tokens", "channel layer", "origin"}
    call_command("carillon_check")
    assert "front-end tokens             ok" in capsys.readouterr().out


def test_the_command_says_how_to_mend_what_is_wrong(configured, settings, capsys):
    settings.SECRET_KEY = "another-secret-of-more-than-thirty-two-bytes"
    settings.CHANNEL_LAYERS = LAYER
    settings.CARILLON = {**settings.CARILLON, "TOKEN": configured.service_token("chat:send")}
    found = findings(capsys, "--origin", "https://elsewhere.example")
    assert "CARILLON_JWT_SECRET" in found["front-end tokens"]["mend"]
    assert "channels:listen" in found["channel layer"]["mend"]
    assert "ALLOWED_HOSTS" in found["origin"]["mend"]
    assert found["scope chat:send"]["status"] == "ok"
    assert found["scope events:publish"]["status"] == "warning"
    settings.CARILLON = {**settings.CARILLON, "TOKEN": "nonsense"}
    assert "carillon token --service" in findings(capsys)["service token"]["mend"]
    settings.CARILLON = {"URL": configured.url}
    assert findings(capsys)["service token"]["detail"] == "there is none"
    settings.CARILLON = {"URL": "http://127.0.0.1:9"}
    assert "Is Carillon running" in findings(capsys)["address"]["mend"]
