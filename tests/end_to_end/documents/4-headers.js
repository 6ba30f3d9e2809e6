const websocket = new WebSocket(wsUrl, [], {
    headers: {
        'Authorization': `Bearer ${jwtToken}`
    }
});
