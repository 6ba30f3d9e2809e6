from django.db import models


class SampleResource(models.Model):
    org_id = models.CharField(max_length=50)
