// Notifications
const ws = new WebSocket('ws://localhost:8000/ws/notifications/?token=' + jwtToken);

// Organization Events
const orgId = '123e4567-e89b-12d3-a456-426614174000';
const ws = new WebSocket(`ws://localhost:8000/ws/events/${orgId}/?token=${jwtToken}`);

// Handle messages
ws.onmessage = (event) => {
  const data = JSON.parse(event.data);
  console.log(data);
};

// Keep-alive ping
setInterval(() => {
  ws.send(JSON.stringify({ type: 'ping', timestamp: new Date().toISOString() }));
}, 30000);
