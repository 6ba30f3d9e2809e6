"""Keeps Carillon's organisations and projects in step with the project's own: who may hear their events.

    CARILLON = {…, "MEMBERS": [("shop.Membership", "orgs", "organization_id", "user_id")]}

Every membership that is saved or deleted is told after the commit, and `manage.py carillon_sync` tells all of them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models

from .. import calls
from ..calls import Call, Group, Id
from ..client import Client
from ..errors import ConfigurationError, ConflictError
from .signals import broadcast_on_save

Attribute = Callable[[Any], Any] | str


@dataclass(frozen=True)
class Kept:
    """A model of memberships, and what of it says who is in what."""

    model: type[models.Model]
    kind: Group
    group: Attribute
    user: Attribute

    def pair(self, membership: Any) -> tuple[Id, Id]:
        return _id(membership, self.group), _id(membership, self.user)


kept: list[Kept] = []


def keep_members(model: type[models.Model], kind: Group, *, group: Attribute, user: Attribute) -> None:
    """Tells Carillon of this model's memberships: `group` and `user` are attributes, or functions of a membership."""
    if model._meta.auto_created:
        what = f"{model._meta.label} is made by Django, which sends no signals for its rows"
        raise ConfigurationError(f"{what}: give the relation a model of its own (through=…)")
    entry = Kept(model, kind, group, user)
    kept.append(entry)

    def describe(membership: Any, action: str) -> Call:
        to, who = entry.pair(membership)
        change = calls.remove_member if action == "deleted" else calls.add_member
        return change(kind, to, who)

    broadcast_on_save(model, describe)


def synchronize(client: Client) -> Iterator[tuple[Group, Id, int]]:
    """Makes every group that has members, and gives it these and no others. Yields each with how many it has."""
    for entry in kept:
        groups: dict[Id, list[Id]] = {}
        for membership in entry.model._default_manager.all().iterator():
            group, user = entry.pair(membership)
            groups.setdefault(group, []).append(user)
        for group, members in groups.items():
            # It may be there already.
            with contextlib.suppress(ConflictError):
                client.create_group(entry.kind, group, *_names(entry.kind, group))
            client.set_members(entry.kind, group, members)
            yield entry.kind, group, len(members)


def _names(kind: Group, group: Id) -> tuple[str, str | None]:
    """What a group is called that Carillon has not heard of; a project's tickets have keys there, too."""
    if kind == "orgs":
        return str(group), None
    plain = "".join(character for character in str(group).upper() if character.isascii() and character.isalnum())
    return f"Project {group}", f"P{plain}"[:10]


def _id(membership: Any, attribute: Attribute) -> Id:
    found = getattr(membership, attribute) if isinstance(attribute, str) else attribute(membership)
    if isinstance(found, models.Model):
        found = found.pk
    return found if isinstance(found, int) else str(found)
