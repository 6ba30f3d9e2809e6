"""What happens in the project, over HTTP."""

import json

from asgiref.sync import async_to_sync
from django.http import JsonResponse
from django.views.decorators.csrf import csrf_exempt

from live.broadcasting import (
    broadcast_counter_update,
    broadcast_notification,
    send_chat_message,
    send_user_notification,
)
from live.models import SampleResource


@csrf_exempt
def notify(request):
    body = json.loads(request.body)
    async_to_sync(broadcast_notification)(body.pop("user_id"), body)
    return JsonResponse({})


@csrf_exempt
def order(request):
    body = json.loads(request.body)
    send_user_notification(
        user_id=body["user_id"], title="New Order", message="Order #456 has been received", priority="high"
    )
    return JsonResponse({})


@csrf_exempt
def say(request):
    send_chat_message(**json.loads(request.body))
    return JsonResponse({})


@csrf_exempt
def count(request):
    broadcast_counter_update(**json.loads(request.body))
    return JsonResponse({})


@csrf_exempt
def resources(request):
    body = json.loads(request.body)
    resource = SampleResource.objects.create(org_id=body["org_id"], name=body["name"])
    return JsonResponse({"id": resource.id})
