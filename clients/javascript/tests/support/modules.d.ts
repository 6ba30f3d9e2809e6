// The documents' components, which know no types.
declare module "document:*.tsx" {
  import type { ComponentType } from "react";
  export const NotificationBell: ComponentType;
  export const TicketList: ComponentType<{ projectId: number }>;
  export const ProjectView: ComponentType<{ projectId: number }>;
}
declare module "document:*.jsx" {
  import type { ComponentType } from "react";
  export const NotificationPanel: ComponentType<{ token: string }>;
  export const ChatComponent: ComponentType<{ conversationId: number | null; jwtToken: string }>;
  export const useWebSocket: typeof import("../../src/react/index.js").useWebSocket;
}
