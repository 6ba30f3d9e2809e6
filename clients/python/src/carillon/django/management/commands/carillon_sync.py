"""`manage.py carillon_sync`: tells Carillon of all organisations, projects and their members."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from .... import default
from ....errors import CarillonError
from ...members import kept, synchronize


class Command(BaseCommand):
    help = "Gives Carillon's organisations and projects the members that keep_members() was told of."

    def handle(self, *_: Any, **__: Any) -> None:
        if not kept:
            raise CommandError("no model has memberships: call carillon.django.members.keep_members() in an AppConfig")
        try:
            for kind, group, members in synchronize(default.client()):
                self.stdout.write(f"{kind} {group}: {members} members")
        except CarillonError as error:
            raise CommandError(str(error)) from error
