import json

from django.http import JsonResponse
from django.views.decorators.csrf import csrf_exempt

from tickets.models import Ticket


@csrf_exempt
def tickets(request):
    ticket = Ticket.objects.create(**json.loads(request.body))
    return JsonResponse({"id": ticket.pk})
