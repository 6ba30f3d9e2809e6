// The README's code, each block a module.
declare module "readme:*" {
  import type { ComponentType } from "react";
  export const client: import("../../src/index.js").Client;
  export const App: ComponentType<{ project: number }>;
  export const Conversation: ComponentType<{ id: number }>;
  export const Watchers: ComponentType<{ project: number; ticket: number }>;
  export const Forms: ComponentType<{ url: string; token: string; onMessage: (frame: { type?: string }) => void }>;
}
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
