ticket = Ticket.objects.get(id=123)
ticket.status = new_status
ticket.save()  # ← This automatically broadcasts to WebSocket!
