from django.urls import path
from rest_framework_simplejwt.views import TokenObtainPairView

from live import views
from tickets import views as tickets

urlpatterns = [
    path("api/token/", TokenObtainPairView.as_view()),
    path("api/notify/", views.notify),
    path("api/orders/", views.order),
    path("api/say/", views.say),
    path("api/count/", views.count),
    path("api/resources/", views.resources),
    path("api/tickets/", tickets.tickets),
]
