import { useEffect, useSyncExternalStore } from "react";
import type { Id, Notification, Visitor } from "../index.js";
import { type ChatState, type MessageOptions, silence } from "./chat_store.js";
import { useCarillon } from "./context.js";
import type { NotificationState } from "./notification_store.js";
import type { ProjectState } from "./project_store.js";
import { type Connected, type Store, unconnected } from "./store.js";

const nothing = () => () => {};

/** The state of a store, which is kept up to date while the component is there. */
function useStore<State extends object>(store: Store<State> | undefined, without: State): State {
  useEffect(() => store?.retain(), [store]);
  const snapshot = store?.snapshot ?? (() => without);
  return useSyncExternalStore(store?.subscribe ?? nothing, snapshot, snapshot);
}

export interface Notifications extends Connected {
  /** The newest first. */
  notifications: Notification[];
  unreadCount: number;
  markAsRead(id: Id): void;
  markAllAsRead(): void;
}

const noNotifications: NotificationState = { notifications: [], unreadCount: 0, ...unconnected };

/** Document 3's hook: this user's notifications. Each new one is shown as a toast, once, however many components use this. */
export function useNotifications(): Notifications {
  const store = useCarillon().tier?.notifications();
  const state = useStore(store, noNotifications);
  return { ...state, markAsRead: store?.markAsRead ?? nothing, markAllAsRead: store?.markAllAsRead ?? nothing };
}

export interface WebSocketContextValue extends ProjectState {
  connectTickets(projectId: Id): void;
  connectPresence(projectId: Id): void;
  disconnectTickets(): void;
  disconnectPresence(): void;
}

/** Document 3's context: connects a project's channels, one project at a time, until another one is connected or the provider goes. */
export function useWebSocketContext(): WebSocketContextValue {
  const { projects } = useCarillon();
  const state = useSyncExternalStore(projects.subscribe, projects.snapshot, projects.snapshot);
  const { connectTickets, connectPresence, disconnectTickets, disconnectPresence } = projects;
  return { ...state, connectTickets, connectPresence, disconnectTickets, disconnectPresence };
}

export interface Presence extends Connected {
  /** Who is in the project, those who came first first. */
  present: Visitor[];
  count: number;
  /** Which ticket this tab looks at; null: none. */
  view(ticketId: Id | null): void;
  setTyping(ticketId: Id, isTyping: boolean): void;
}

const nobody = { present: [], count: 0, ...unconnected };

/** Who is in a project, what they look at and where they type. null: in none. */
export function usePresence(projectId: Id | null): Presence {
  const { tier } = useCarillon();
  const store = projectId === null ? undefined : tier?.presence(projectId);
  const state = useStore(store, nobody);
  return { ...state, view: store?.view ?? nothing, setTyping: store?.setTyping ?? nothing };
}

export interface Chat extends ChatState {
  send(message: string, options?: MessageOptions): void;
  setTyping(isTyping: boolean): void;
  markRead(messageId: number): void;
  react(messageId: number, emoji: string, action?: "add" | "remove"): void;
  edit(messageId: number, message: string): void;
  remove(messageId: number): void;
  loadMore(): Promise<void>;
}

const later = async () => {};

/** A room, by its name, or a conversation, by its number. null: none. */
export function useChat(target: Id | null): Chat {
  const { tier } = useCarillon();
  const store = target === null ? undefined : tier?.chat(target);
  const state = useStore(store, silence);
  const { send, setTyping, markRead, react, edit, remove, loadMore } = store ?? {
    send: nothing,
    setTyping: nothing,
    markRead: nothing,
    react: nothing,
    edit: nothing,
    remove: nothing,
    loadMore: later,
  };
  return { ...state, send, setTyping, markRead, react, edit, remove, loadMore };
}
