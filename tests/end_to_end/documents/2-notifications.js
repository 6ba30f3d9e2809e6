// Connect
const notifSocket = new WebSocket(`ws://localhost:8000/ws/notifications/`);

// Handle notifications
notifSocket.onmessage = function(event) {
    const data = JSON.parse(event.data);
    
    if (data.type === 'notification') {
        // Show notification
        showNotification(
            data.title,
            data.message,
            data.priority
        );
    }
};

// Display notification
function showNotification(title, message, priority) {
    const badge = priority === 'high' ? '⚠️ ' : 'ℹ️ ';
    console.log(`${badge}${title}: ${message}`);
}
