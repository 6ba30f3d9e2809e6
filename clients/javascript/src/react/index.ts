export { ACCESS_TOKEN } from "./access_token.js";
export type { ChatMessage } from "./chat_message.js";
export type { ChatState, MessageOptions } from "./chat_store.js";
export { WebSocketProvider, type WebSocketProviderProps } from "./context.js";
export {
  type Chat,
  type Notifications,
  type Presence,
  useChat,
  useNotifications,
  usePresence,
  useWebSocketContext,
  type WebSocketContextValue,
} from "./hooks.js";
export type { AnyFrame } from "./socket_store.js";
export type { Connected } from "./store.js";
export type { Dialect } from "./tier.js";
export { type ShowToast, showToast, type Toast } from "./toast.js";
export { type UseWebSocketOptions, useWebSocket, type WebSocketConnection, type WebSocketHandle } from "./use_web_socket.js";
