from django.conf import settings
from django.db import models


class Project(models.Model):
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="ProjectMember")


class ProjectMember(models.Model):
    project = models.ForeignKey(Project, on_delete=models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)


class Ticket(models.Model):
    project = models.ForeignKey(Project, on_delete=models.CASCADE)
    title = models.CharField(max_length=200)
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)

    @property
    def key(self):
        return f"PROJ-{self.pk}"
