import { useWebSocketContext } from "@/contexts/WebSocketContext";

function ProjectView({ projectId }) {
  const { connectTickets, connectPresence, isTicketConnected } =
    useWebSocketContext();

  useEffect(() => {
    connectTickets(projectId);
    connectPresence(projectId);
  }, [projectId]);

  return <div>Connection: {isTicketConnected ? "🟢 Live" : "🔴 Offline"}</div>;
}
