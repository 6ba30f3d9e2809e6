import { useWebSocket } from './hooks/useWebSocket';

const ChatComponent = ({ conversationId, jwtToken }) => {
    const chatWsUrl = `ws://localhost:8000/ws/chat/${conversationId}/?token=${jwtToken}`;
    
    const { connectionStatus, sendMessage } = useWebSocket(
        chatWsUrl,
        (message) => {
            console.log('Received message:', message);
            // Handle incoming messages
        },
        !!conversationId && !!jwtToken
    );
    
    const handleSendMessage = (messageText) => {
        sendMessage({
            type: 'chat_message',
            message: messageText,
            message_type: 'text'
        });
    };
    
    return (
        <div>
            <div>Connection Status: {connectionStatus}</div>
            {/* Your chat UI here */}
        </div>
    );
};
