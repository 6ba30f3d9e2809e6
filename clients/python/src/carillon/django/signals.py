"""Broadcasts of what happens to models, once it is committed (S1-09, S3-04).

@broadcasts(org=lambda ticket: ticket.org_id, event="resource")
class Ticket(models.Model): ...

broadcast_on_save(Comment, lambda comment, action: calls.org_event(comment.org_id, f"comment.{action}", {…}))
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models.signals import post_delete, post_save

from .. import calls, default
from ..calls import Call
from ..errors import CarillonError
from ..settings import django_settings

logger = logging.getLogger("carillon.django")

Model = TypeVar("Model", bound=type[models.Model])
Publications = Call | Iterable[Call] | None
Describe = Callable[[Any, str], Publications]
"""What is published of an instance, and of what happened to it: `created`, `updated` or `deleted`."""


def publish_on_commit(publications: Publications, *, using: str | None = None) -> None:
    """Publishes once the transaction is committed: at once if there is none, and not at all if it is rolled back.

    A failure is logged, since what was to be told has happened; with `CARILLON = {"RAISE": True}` it is raised.
    """
    batch = _batch(publications)
    if batch:
        transaction.on_commit(lambda: _publish(batch), using=using)


def broadcast_on_save(
    model: type[models.Model],
    describe: Describe,
    *,
    on: Iterable[str] = ("created", "updated", "deleted"),
) -> None:
    """Publishes what `describe` makes of an instance that was saved or deleted, after the commit."""
    wanted = frozenset(on)
    unknown = wanted - {"created", "updated", "deleted"}
    if unknown:
        raise ValueError(f"`on` has created, updated and deleted, and not {', '.join(sorted(unknown))}")

    def saved(*, instance: Any, created: bool, using: str, raw: bool = False, **_: Any) -> None:
        action = "created" if created else "updated"
        # A fixture that is loaded is no news.
        if action in wanted and not raw:
            publish_on_commit(describe(instance, action), using=using)

    def deleted(*, instance: Any, using: str, **_: Any) -> None:
        if "deleted" in wanted:
            # Afterwards it has no key: what is to be told of it is read now.
            publish_on_commit(describe(instance, "deleted"), using=using)

    post_save.connect(saved, sender=model, weak=False)
    post_delete.connect(deleted, sender=model, weak=False)


def broadcasts(
    *,
    event: str | None = None,
    fields: Iterable[str] | None = None,
    data: Callable[[Any], Mapping[str, Any]] | None = None,
    org: Callable[[Any], Any] | str | None = None,
    user: Callable[[Any], Any] | str | None = None,
    project: Callable[[Any], Any] | str | None = None,
    on: Iterable[str] = ("created", "updated", "deleted"),
) -> Callable[[Model], Model]:
    """A model whose saves and deletions are told: to the organisation, the user or the project that `org`, `user` or
    `project` names (a function of the instance, or the name of its attribute).

    An organisation hears the event `<event>.created`, `.updated`, `.deleted`, a project a frame of that type, and a
    user a notification, of which `data` has to give `title` and `message`. `event` is the model's name unless it is
    said, the data `{id, …fields}`, or whatever `data` makes of an instance.
    """
    targets = {name: it for name, it in {"org": org, "user": user, "project": project}.items() if it is not None}
    if not targets:
        raise ValueError("broadcasts() needs one of org, user and project")
    if user is not None and data is None:
        raise ValueError("a user gets a notification: `data` has to give its title and message")
    names = tuple(fields or ())

    def content(instance: Any) -> dict[str, Any]:
        if data is not None:
            return dict(data(instance))
        plain = {name: _plain(getattr(instance, name)) for name in names}
        return {"id": _plain(instance.pk), **plain}

    def decorate(model: Model) -> Model:
        prefix = event or str(model._meta.model_name)

        def describe(instance: Any, action: str) -> list[Call]:
            told, kind = content(instance), f"{prefix}.{action}"
            made = ((name, _target(instance, target)) for name, target in targets.items())
            return [_call(name, to, kind, told) for name, to in made if to is not None]

        broadcast_on_save(model, describe, on=on)
        return model

    return decorate


def _call(target: str, to: Any, kind: str, data: dict[str, Any]) -> Call:
    if target == "org":
        return calls.org_event(str(to), kind, data)
    if target == "project":
        return calls.project_event(to, {"type": kind, "data": data})
    return calls.notification({"notification_type": kind, **data}, user_id=to)


def _target(instance: Any, target: Callable[[Any], Any] | str) -> Any:
    found = getattr(instance, target) if isinstance(target, str) else target(instance)
    return _plain(found.pk if isinstance(found, models.Model) else found)


def _plain(value: Any) -> Any:
    """What JSON has a form for as it is, anything else as a text: a UUID, a date, a decimal."""
    return value if value is None or isinstance(value, str | int | float | bool | list | dict) else str(value)


def _batch(publications: Publications) -> list[Call]:
    if publications is None:
        return []
    return [publications] if isinstance(publications, Call) else list(publications)


def _publish(batch: list[Call]) -> None:
    from .tasks import publish_later, publishes_in_celery

    # A broker that is away is an error of Celery's own.
    known = Exception if publishes_in_celery() else CarillonError
    try:
        if publishes_in_celery():
            publish_later(batch)
        else:
            publish_now(batch)
    except known as error:
        if django_settings().get("RAISE"):
            raise
        logger.error("what was committed could not be told: %s", error)


def publish_now(batch: list[Call]) -> None:
    """Publishes a batch, several at a time."""
    client = default.client()
    if len(batch) == 1:
        client.request(batch[0])
    else:
        client.publish_all(batch)
