import type { Attachment, ConversationMessage, Id, RoomMessage, Timestamp } from "../index.js";

/** A message of a room or a conversation, as it is shown. */
export interface ChatMessage {
  /** Of one that the server has not acknowledged, its `client_id`. */
  id: Id;
  content: string;
  sender: { id: Id | null; first_name: string; last_name: string; username?: string };
  timestamp: Timestamp;
  message_type: string;
  reply_to: unknown;
  attachments: Attachment[];
  reactions: ConversationMessage["reactions"];
  edited_at?: Timestamp;
  deleted?: boolean;
  deleted_at?: Timestamp;
  client_id?: Id;
  status: "sending" | "sent" | "failed";
  /** Why it failed. */
  error?: string;
}

/** A room's message in the form of a conversation's. */
export function ofRoom({ id, message, username, timestamp, user_id, client_id }: RoomMessage): ChatMessage {
  const sender = { id: user_id ?? null, first_name: "", last_name: "", username };
  return {
    id,
    content: message,
    sender,
    timestamp,
    message_type: "text",
    reply_to: null,
    attachments: [],
    reactions: [],
    status: "sent",
    ...(client_id !== undefined && { client_id }),
  };
}

export function ofConversation(message: ConversationMessage): ChatMessage {
  return { ...message, status: "sent" };
}

/** With one more, or another version of one, in the order of ids; what isn't acknowledged comes last. */
export function merged(messages: readonly ChatMessage[], further: readonly ChatMessage[]): ChatMessage[] {
  const byId = new Map(messages.map((message) => [message.id, message]));
  for (const message of further) byId.set(message.id, message);
  const place = ({ id, status }: ChatMessage) => (status === "sent" && typeof id === "number" ? id : Number.POSITIVE_INFINITY);
  return [...byId.values()].sort((one, other) => (place(one) === place(other) ? 0 : place(one) - place(other)));
}

/** By which the server knows a message that comes again. (`crypto.randomUUID` is there in secure contexts only.) */
export function clientId(): string {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36)).join("");
}
