/** A whole number, or any other text. */
export type Id = number | string;

/** A moment, as in RFC 3339. */
export type Timestamp = string;

/** What an event carries beside its own: its channel and its place there. */
export interface Placed {
  channel?: string;
  /** Absent where the event is in no log. */
  offset?: number;
}

/** What a greeting carries beside its own: where its channels are. */
export interface Greeted {
  epoch?: string;
  channels?: { name: string; offset: number }[];
}

/** What any endpoint may say. */
export type AnyEndpointFrame =
  | ({ type: "connected" } & Greeted)
  | { type: "pong"; timestamp?: unknown }
  | { type: "refreshed"; expires_in: number }
  | { type: "token_expiring"; expires_in: number }
  | { type: "reconnect"; after_ms: number }
  | { type: "recovery"; recovered: boolean; missed?: number; channel?: string }
  | { type: "dropped"; count: number }
  | ErrorFrame;

/** A frame was not accepted. */
export interface ErrorFrame {
  type: "error";
  message: string;
  code?: string;
  client_id?: Id;
  /** In so many seconds it may be. */
  retry_after?: number;
}

/** What any endpoint takes. */
export type AnyEndpointRequest = { type: "ping"; timestamp?: unknown } | { type: "refresh"; token: string };

/** A frame to send: with a `client_id` it is sent again until it is acknowledged. */
export type Sendable = Readonly<Record<string, unknown>> & { readonly client_id?: Id };

/** Who somebody is. */
export interface Person {
  id: Id;
  first_name: string;
  last_name: string;
  username?: string;
}
