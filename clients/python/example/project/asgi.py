import os

from django.core.asgi import get_asgi_application

http = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402

from live import consumers  # noqa: E402
from live.authentication import JWTMiddleware  # noqa: E402
from tickets import consumers as tickets  # noqa: E402

# Document 3's front end wants other notifications than document 1's.
document_3 = os.environ.get("DOCUMENT") == "3"
notifications = (tickets if document_3 else consumers).NotificationConsumer

application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": JWTMiddleware(
            URLRouter(
                [
                    path("ws/notifications/", notifications.as_asgi()),
                    path("ws/events/<str:org_id>/", consumers.EventConsumer.as_asgi()),
                    path("ws/chat/<str:room_name>/", consumers.ChatConsumer.as_asgi()),
                    path("ws/counter/", consumers.CounterConsumer.as_asgi()),
                    path("ws/projects/<int:project_id>/tickets/", tickets.TicketConsumer.as_asgi()),
                ]
            )
        ),
    }
)
