import type { AnyEndpointFrame, Greeted, Id, Placed, Timestamp } from "./common.js";

/** A notification, whatever the dialect. Every other field is as its sender gave it. */
export interface Notification {
  id: Id;
  title: string;
  message: string;
  timestamp: Timestamp;
  priority?: "low" | "normal" | "high";
  notification_type?: string;
  is_read?: boolean;
  data?: unknown;
  /** Document 3. */
  ticket_id?: Id;
  ticket_key?: string;
  /** Carillon's own id, where `id` is the sender's (document 3). */
  notification_id?: number;
  /** The sender's own id, where `id` is Carillon's. */
  external_id?: Id;
  [field: string]: unknown;
}

/** `/ws/notifications/` and `/ws/notifications/{user_id}/`, in each of the dialects. */
export type NotificationFrame =
  | ({ type: "connection.established" | "connection_established"; message: string; user_id?: Id } & Greeted)
  | ({ type: "connection_status"; status: "connected"; message: string; timestamp: Timestamp } & Greeted)
  | ({ type: "notification"; notification: Notification; title: string; message: string; priority: string; timestamp: Timestamp } & Placed)
  | ({ type: "notification_message"; data: Notification } & Placed)
  | ({ type: "unread_count"; count: number; version: number } & Placed)
  /** To the one who marked. */
  | { type: "marked_read"; id?: Id; count: number; version: number }
  | AnyEndpointFrame;

/** What notification endpoints take. */
export type NotificationRequest = { type: "mark_read"; id: Id } | { type: "mark_all_read"; up_to?: number };

/** `/ws/events/{org_id}/`. */
export type OrganisationFrame =
  | ({ type: "connection.established"; message: string; user_id: Id } & Greeted)
  | ({ type: "event"; event_type: string; data: unknown } & Placed)
  | AnyEndpointFrame;
