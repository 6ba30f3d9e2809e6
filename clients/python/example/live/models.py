from django.conf import settings
from django.db import models


class Organization(models.Model):
    id = models.CharField(primary_key=True, max_length=50)


class Membership(models.Model):
    org = models.ForeignKey(Organization, on_delete=models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)


class SampleResource(models.Model):
    org = models.ForeignKey(Organization, on_delete=models.CASCADE)
    name = models.CharField(max_length=100)
