const connectToNotificationsWebSocket = (userId, jwtToken) => {
    const wsUrl = `ws://localhost:8000/ws/notifications/${userId}/?token=${jwtToken}`;
    const websocket = new WebSocket(wsUrl);
    
    websocket.onopen = () => {
        console.log('Notifications WebSocket connected');
    };
    
    websocket.onmessage = (event) => {
        const data = JSON.parse(event.data);
        handleNotification(data);
    };
    
    websocket.onerror = (error) => {
        console.error('Notifications WebSocket error:', error);
    };
    
    websocket.onclose = (event) => {
        console.log('Notifications WebSocket closed:', event.code, event.reason);
        // Implement reconnection logic here
    };
    
    return websocket;
};
