"""The Django in which the tests run."""

from gateway import SECRET

SECRET_KEY = SECRET
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "channels",
    "carillon.django",
    "shop",
    "api",
    "tickets",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
CARILLON = {"MEMBERS": [("shop.Membership", "orgs", "org", "user")]}
