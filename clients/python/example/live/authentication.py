"""Who connects: SimpleJWT's token in the query, as every document has it."""

from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken


class JWTMiddleware:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        query = parse_qs(scope["query_string"].decode())
        token = (query.get("token") or [None])[0]
        scope["user"], scope["token_error"] = None, False
        if token:
            try:
                scope["user"] = await user_of(AccessToken(token)["user_id"])
            except TokenError:
                scope["token_error"] = True
        return await self.app(scope, receive, send)


@database_sync_to_async
def user_of(user_id):
    return get_user_model().objects.filter(pk=user_id).first()
