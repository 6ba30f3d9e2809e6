const sendMessage = (websocket, messageData) => {
    const payload = {
        type: 'chat_message',
        message: messageData.message,
        message_type: messageData.type || 'text',
        // Add other message properties as needed
    };
    
    websocket.send(JSON.stringify(payload));
};
