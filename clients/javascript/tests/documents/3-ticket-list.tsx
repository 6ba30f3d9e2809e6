import { useWebSocket } from "@/hooks/useWebSocket";

function TicketList({ projectId }) {
  const { lastMessage, send } = useWebSocket(
    `ws/projects/${projectId}/tickets/`,
    {
      onMessage: (data) => {
        if (data.type === "ticket_update") {
          console.log("Ticket updated:", data.data);
          // Refresh your ticket list or update specific ticket
        }
      },
      autoConnect: true,
    }
  );

  return <div>Your ticket list</div>;
}
