import { useEffect, useRef, useState } from 'react';

function useWebSocket(url, token) {
  const [messages, setMessages] = useState([]);
  const ws = useRef(null);

  useEffect(() => {
    ws.current = new WebSocket(`${url}?token=${token}`);

    ws.current.onmessage = (event) => {
      const data = JSON.parse(event.data);
      setMessages(prev => [...prev, data]);
    };

    return () => ws.current?.close();
  }, [url, token]);

  return messages;
}

// Usage
function NotificationPanel({ token }) {
  const messages = useWebSocket('ws://localhost:8000/ws/notifications/', token);

  return (
    <div>
      {messages.map((msg, i) => (
        <div key={i}>{msg.notification?.title}</div>
      ))}
    </div>
  );
}
