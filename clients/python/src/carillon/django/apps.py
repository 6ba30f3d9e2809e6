"""The application."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.core import checks
from django.core.signals import setting_changed

from .. import default
from ..settings import django_settings
from .checks import check_settings


class CarillonConfig(AppConfig):
    """Checks the settings, and has clients made anew where tests change them."""

    name = "carillon.django"
    label = "carillon"
    verbose_name = "Carillon"
    default = True

    def ready(self) -> None:
        # Models can be imported only now, and this module is before that.
        from .members import keep_members

        checks.register(check_settings)
        for model, kind, group, user in django_settings().get("MEMBERS", ()):
            keep_members(apps.get_model(model), kind, group=group, user=user)
        setting_changed.connect(_changed, dispatch_uid="carillon.settings")


def _changed(*, setting: str, **_: Any) -> None:
    if setting == "CARILLON":
        default.reset()
