const connectToChatWebSocket = (conversationId, jwtToken) => {
    const wsUrl = `ws://localhost:8000/ws/chat/${conversationId}/?token=${jwtToken}`;
    const websocket = new WebSocket(wsUrl);
    
    websocket.onopen = () => {
        console.log('Chat WebSocket connected');
    };
    
    websocket.onmessage = (event) => {
        const data = JSON.parse(event.data);
        handleChatMessage(data);
    };
    
    websocket.onerror = (error) => {
        console.error('Chat WebSocket error:', error);
    };
    
    websocket.onclose = (event) => {
        console.log('Chat WebSocket closed:', event.code, event.reason);
        // Implement reconnection logic here
    };
    
    return websocket;
};
