"""Carillon in a Django project: `INSTALLED_APPS += ["carillon.django"]`, `CARILLON = {"URL": …, "TOKEN": …}`."""
