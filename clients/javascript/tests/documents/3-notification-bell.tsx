import { useNotifications } from "@/hooks/useNotifications";

function NotificationBell() {
  const { notifications, unreadCount, markAsRead } = useNotifications();

  return (
    <Badge count={unreadCount}>
      <BellOutlined />
    </Badge>
  );
}
