import type { AnyEndpointFrame, Greeted, Id, Person, Placed, Timestamp } from "./common.js";

/** A message of a room. */
export interface RoomMessage extends Placed {
  type: "chat_message";
  id: number;
  message: string;
  username: string;
  timestamp: Timestamp;
  user_id?: Id;
  anonymous?: true;
  /** Its sender's, if it gave one. */
  client_id?: Id;
}

/** `/ws/chat/{room_name}/`. */
export type RoomFrame =
  | RoomMessage
  | ({ type: "notification"; event: "user_joined" | "user_left"; message: string; username: string; user_id: Id | null } & Placed)
  | { type: "history"; count: number; has_more: boolean }
  | MessageAck
  | AnyEndpointFrame;

/** To the sender of a message that has a `client_id`: it is kept. */
export interface MessageAck {
  type: "message_ack";
  client_id: Id;
  message_id: number;
  offset: number;
}

/** A file of a message; its address is asked for at `/api/chat/attachments/{id}/`. */
export interface Attachment {
  id: string;
  name: string;
  content_type: string;
  size: number;
}

/** A message of a conversation. */
export interface ConversationMessage {
  id: number;
  content: string;
  sender: Person;
  timestamp: Timestamp;
  message_type: string;
  reply_to: unknown;
  attachments: Attachment[];
  reactions: { emoji: string; count: number; users?: Id[]; [field: string]: unknown }[];
  /** Its sender's, if it gave one. */
  client_id?: Id;
  edited_at?: Timestamp;
  deleted?: boolean;
  deleted_at?: Timestamp;
}

/** Somebody who is in a conversation. */
export interface Participant extends Person {
  status: "online" | "offline";
  /** The last message that they have read. */
  read_up_to: number | null;
}

/** A conversation, as its greeting has it. */
export interface Conversation {
  id: number;
  name: string | null;
  participants: Participant[];
  unread_count: number;
}

/** `/ws/chat/{conversation_id}/`. */
export type ConversationFrame =
  | ({ type: "conversation_joined"; conversation: Conversation; user_id: Id } & Greeted)
  | ({ type: "chat_message"; message: ConversationMessage } & Placed)
  | ({ type: "message_edited"; message_id: number; message: ConversationMessage } & Placed)
  | ({ type: "message_deleted"; message_id: number; deleted_by: Person; deleted_at: Timestamp } & Placed)
  | ({ type: "message_read"; message_id: number; read_by: Person; read_at: Timestamp } & Placed)
  | ({ type: "message_reaction"; message_id: number; emoji: string; action: "add" | "remove"; user: Person; count: number } & Placed)
  | { type: "typing_indicator"; user: Person; is_typing: boolean; channel?: string }
  | { type: "user_status"; user_id: Id; status: "online" | "offline"; channel?: string }
  | ({ type: "conversation_updated"; conversation: { id: number; name: string | null }; by: Person } & Placed)
  | ({ type: "participant_added"; participant: Participant; by: Person } & Placed)
  | ({ type: "participant_removed"; user_id: Id; user: Person; by: Person } & Placed)
  | { type: "history"; count: number; has_more: boolean }
  | MessageAck
  | AnyEndpointFrame;

/** What a room takes. */
export interface RoomRequest {
  type: "chat_message";
  message: string;
  username?: string;
  client_id?: Id;
}

/** What a conversation takes. */
export type ConversationRequest =
  | { type: "chat_message"; message: string; message_type?: string; reply_to?: number; attachments?: string[]; client_id?: Id }
  | { type: "typing_indicator"; is_typing: boolean }
  | { type: "message_read"; message_id: number }
  | { type: "message_reaction"; message_id: number; emoji: string; action: "add" | "remove" }
  | { type: "message_edit"; message_id: number; message: string; client_id?: Id }
  | { type: "message_delete"; message_id: number; client_id?: Id };
