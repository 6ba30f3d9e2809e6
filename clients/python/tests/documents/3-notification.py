from tickets.signals import send_notification
from django.utils import timezone

send_notification(
    user_id=123,
    notification_data={
        'id': 'custom_notification_1',
        'notification_type': 'general',
        'title': 'System Alert',
        'message': 'Your report is ready!',
        'timestamp': timezone.now().isoformat(),
    }
)
