"""The same project with Carillon: this file is all that changes. DJANGO_SETTINGS_MODULE=project.carillon"""

from .settings import *  # noqa: F403
from .settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "carillon.django"]
CARILLON = {  # URL and TOKEN are CARILLON_URL and CARILLON_TOKEN
    "MEMBERS": [
        ("live.Membership", "orgs", "org_id", "user_id"),
        ("tickets.ProjectMember", "projects", "project_id", "user_id"),
    ],
}
CHANNEL_LAYERS = {"default": {"BACKEND": "carillon.channels.CarillonChannelLayer"}}
