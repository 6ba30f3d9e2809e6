import type { AnyEndpointFrame, Greeted, Id, Person, Placed, Timestamp } from "./common.js";

export interface TicketStatus {
  id: Id;
  name: string;
  color: string;
  position?: number;
}

export interface Ticket {
  ticket_id: Id;
  key: string;
  project_id: Id;
  title: string;
  description: string;
  status: TicketStatus;
  priority: "low" | "medium" | "high" | "urgent";
  assignee: Person | null;
  reporter: Person | null;
  labels: string[];
  due_date: string | null;
  /** How many there are. */
  comments: number;
  version: number;
  created_at: Timestamp;
  updated_at: Timestamp;
}

export interface Comment {
  comment_id: Id;
  ticket_id: Id;
  ticket_key: string;
  author: Person;
  message: string;
  created_at: Timestamp;
  edited_at: Timestamp | null;
  /** How many the ticket has now. */
  comments?: number;
}

/** What changed of a ticket, by field. */
export type Changes = Record<string, { from: unknown; to: unknown }>;

/** `/ws/projects/{project_id}/tickets/`. */
export type TicketFrame =
  | ({ type: "connection_established"; message: string; project_id: Id; user_id: Id } & Greeted)
  | ({ type: "ticket_update"; action: "created" | "updated" | "deleted"; data: Ticket; changes?: Changes; actor?: Person } & Placed)
  | ({ type: "comment_added" | "comment_updated" | "comment_deleted"; data: Comment; actor?: Person } & Placed)
  | ({ type: "status_update"; action: "created" | "updated" | "deleted"; data: TicketStatus; actor?: Person } & Placed)
  | AnyEndpointFrame;

/** Somebody who is in a project. */
export interface Visitor {
  user_id: Id;
  username: string;
  first_name: string;
  last_name: string;
  since: Timestamp;
  /** Tickets that they look at. */
  viewing: Id[];
  /** Tickets at which they type. */
  typing: Id[];
}

/** `/ws/projects/{project_id}/presence/`. */
export type PresenceFrame =
  | ({
      type: "user_status";
      action: "joined" | "left";
      user_id: Id;
      username: string;
      first_name?: string;
      last_name?: string;
      count: number;
      /** In the greeting alone: who is there. */
      present?: Visitor[];
    } & Placed &
      Greeted)
  | ({ type: "ticket_viewing"; action: "started" | "stopped"; ticket_id: Id; user_id: Id; username: string } & Placed)
  | { type: "user_typing"; ticket_id: Id; user_id: Id; username: string; is_typing: boolean; channel?: string }
  | AnyEndpointFrame;

/** What `/ws/projects/{project_id}/presence/` takes. */
export type PresenceRequest = { type: "viewing"; ticket_id: Id | null } | { type: "typing"; ticket_id: Id; is_typing: boolean };

/** `/ws/projects/{project_id}/`: all of it, and a back end's own events. */
export type ProjectFrame = TicketFrame | PresenceFrame | BackEndFrame;

/** `/ws/projects/{project_id}/events/`. */
export type BackEndFrame = ({ type: string; [field: string]: unknown } & Placed) | AnyEndpointFrame;
