from django.db import models


class Ticket(models.Model):
    project = models.IntegerField()
    title = models.CharField(max_length=100)
    status = models.CharField(max_length=20)
    assignee = models.CharField(max_length=50)
