curl -X POST http://localhost:8000/api/notifications/send/ \
  -H "Content-Type: application/json" \
  -d '{
    "title": "Test",
    "message": "Hello!",
    "priority": "high"
  }'
