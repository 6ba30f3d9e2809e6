# Install wscat
npm install -g wscat

# Connect to chat
wscat -c ws://localhost:8000/ws/chat/general/

# Send message
{"type": "chat_message", "message": "Hello", "username": "Test"}

# Receive messages in real-time
