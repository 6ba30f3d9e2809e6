from django.db import models

from carillon import calls
from carillon.django.signals import broadcast_on_save, broadcasts


@broadcasts(org="org", event="resource", fields=["name", "price"])
class Resource(models.Model):
    org = models.CharField(max_length=50)
    name = models.CharField(max_length=50)
    price = models.DecimalField(max_digits=8, decimal_places=2, default=0)


@broadcasts(
    project="project",
    user=lambda task: task.assignee or None,
    data=lambda task: {"title": "Task", "message": task.name, "id": task.pk},
    on=["created"],
)
class Task(models.Model):
    project = models.IntegerField()
    assignee = models.CharField(max_length=50, blank=True)
    name = models.CharField(max_length=50)


class Comment(models.Model):
    room = models.CharField(max_length=50)
    text = models.CharField(max_length=50)


broadcast_on_save(
    Comment, lambda comment, action: calls.room_message(comment.room, f"{action}: {comment.text}", "Comments")
)


class Membership(models.Model):
    org = models.CharField(max_length=50)
    user = models.CharField(max_length=50)
