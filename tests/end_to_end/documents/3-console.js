// Get your JWT token
const token = localStorage.getItem("access_token");
console.log("Token:", token);

// Connect to notifications WebSocket
const ws = new WebSocket(
  `ws://localhost:8000/ws/notifications/?token=${token}`
);

ws.onopen = () => console.log("✅ Connected to notifications!");
ws.onmessage = (event) => {
  console.log("📨 Message received:", JSON.parse(event.data));
};
ws.onerror = (error) => console.error("❌ WebSocket error:", error);
ws.onclose = (event) => console.log("🔌 Connection closed:", event.code);

// Send a ping
ws.send(JSON.stringify({ type: "ping", timestamp: Date.now() }));
