import { useEffect, useRef, useState } from 'react';

export const useWebSocket = (url, onMessage, shouldConnect = true) => {
    const [connectionStatus, setConnectionStatus] = useState('Disconnected');
    const [lastMessage, setLastMessage] = useState(null);
    const websocketRef = useRef(null);
    const reconnectTimeoutRef = useRef(null);
    
    const connect = () => {
        if (!shouldConnect || !url) return;
        
        try {
            websocketRef.current = new WebSocket(url);
            
            websocketRef.current.onopen = () => {
                setConnectionStatus('Connected');
                console.log('WebSocket connected');
            };
            
            websocketRef.current.onmessage = (event) => {
                const data = JSON.parse(event.data);
                setLastMessage(data);
                onMessage?.(data);
            };
            
            websocketRef.current.onclose = (event) => {
                setConnectionStatus('Disconnected');
                console.log('WebSocket disconnected:', event.code, event.reason);
                
                // Attempt to reconnect after 3 seconds
                if (shouldConnect) {
                    reconnectTimeoutRef.current = setTimeout(connect, 3000);
                }
            };
            
            websocketRef.current.onerror = (error) => {
                setConnectionStatus('Error');
                console.error('WebSocket error:', error);
            };
        } catch (error) {
            console.error('Failed to create WebSocket connection:', error);
            setConnectionStatus('Error');
        }
    };
    
    const disconnect = () => {
        if (reconnectTimeoutRef.current) {
            clearTimeout(reconnectTimeoutRef.current);
        }
        
        if (websocketRef.current) {
            websocketRef.current.close();
            websocketRef.current = null;
        }
        
        setConnectionStatus('Disconnected');
    };
    
    const sendMessage = (message) => {
        if (websocketRef.current?.readyState === WebSocket.OPEN) {
            websocketRef.current.send(JSON.stringify(message));
        } else {
            console.warn('WebSocket is not connected');
        }
    };
    
    useEffect(() => {
        if (shouldConnect) {
            connect();
        } else {
            disconnect();
        }
        
        return () => {
            disconnect();
        };
    }, [url, shouldConnect]);
    
    return {
        connectionStatus,
        lastMessage,
        sendMessage,
        connect,
        disconnect
    };
};
