/** What the HTTP API and the frames speak of (docs/protocol.md). */

/** Opaque: a number where it looks like one. */
export type Id = number | string;

export interface Named {
  readonly id: Id;
  readonly username: string;
  readonly first_name: string;
  readonly last_name: string;
}

export interface Me extends Named {
  readonly email: string;
  readonly roles: readonly string[];
}

export interface Project {
  readonly id: Id;
  readonly name: string;
  readonly key: string;
}

export interface Status {
  readonly id: number;
  readonly name: string;
  readonly color: string;
  readonly position: number;
}

export const PRIORITIES = ["low", "medium", "high", "urgent"] as const;
export type Priority = (typeof PRIORITIES)[number];

export interface Ticket {
  readonly ticket_id: number;
  readonly key: string;
  readonly title: string;
  readonly description: string;
  readonly status: { readonly id: number; readonly name: string; readonly color: string };
  readonly priority: Priority;
  readonly assignee: Named | null;
  readonly reporter: Named;
  readonly labels: readonly string[];
  readonly due_date: string | null;
  readonly comments: number;
  readonly version: number;
  readonly created_at: string;
  readonly updated_at: string;
}

/** What can be changed of a ticket. */
export interface TicketChange {
  title?: string;
  description?: string;
  status?: number;
  priority?: Priority;
  assignee?: Id | null;
  labels?: readonly string[];
  due_date?: string | null;
}

export interface Comment {
  readonly comment_id: number;
  readonly ticket_id: number;
  readonly author: Named;
  readonly message: string;
  readonly created_at: string;
  readonly edited_at: string | null;
}

export interface Activity {
  readonly number: number;
  readonly action: string;
  readonly actor: Named | null;
  readonly at: string;
  readonly changes?: Readonly<Record<string, { readonly from: unknown; readonly to: unknown }>>;
}

export interface Notification {
  readonly id: number;
  readonly is_read: boolean;
  readonly title: string;
  readonly message: string;
  readonly notification_type: string;
  readonly timestamp: string;
  readonly ticket_id?: number;
  readonly ticket_key?: string;
  readonly project_id?: Id;
  readonly data?: { readonly conversation_id?: Id };
}

export interface Participant extends Named {
  readonly status: "online" | "offline";
  readonly read_up_to: number;
}

export interface Reaction {
  readonly emoji: string;
  readonly count: number;
  readonly user_ids: readonly Id[];
}

export interface Attachment {
  readonly id: string;
  readonly name: string;
  readonly content_type: string;
  readonly size: number;
}

export interface Message {
  readonly id: number;
  readonly content: string;
  readonly sender: Named | null;
  readonly timestamp: string;
  readonly client_id?: string;
  readonly edited_at?: string | null;
  readonly deleted?: boolean;
  readonly reply_to: { readonly id: number; readonly content?: string; readonly sender?: Named } | null;
  readonly attachments: readonly Attachment[];
  readonly reactions: readonly Reaction[];
}

export interface Conversation {
  readonly id: number;
  readonly name: string | null;
  readonly participants: readonly Participant[];
  readonly unread_count: number;
  readonly last_message?: Message | null;
  readonly last_activity?: string;
}

/** A frame of any endpoint. */
export interface Frame {
  readonly type: string;
  readonly [member: string]: unknown;
}
