import type { Id, Timestamp } from "./common.js";

/** `carillon.v1`, as `proto/asyncapi.yaml` has it: from the client. */
export type ChannelRequest =
  | { id: Id; type: "subscribe"; channel: string; since?: string; query?: Record<string, string | number | boolean> }
  | { id: Id; type: "unsubscribe"; channel: string }
  | { id: Id; type: "publish"; channel: string; data: unknown }
  | { id: Id; type: "history"; channel: string; after?: number; limit?: number }
  | { id: Id; type: "presence"; channel: string; after?: string | null; limit?: number }
  | { id: Id; type: "refresh"; token: string }
  | { id?: Id; type: "ping"; timestamp?: unknown };

/** From the server. */
export type ChannelFrame =
  | { type: "connected"; protocol: "carillon.v1"; connection: string; user_id: Id | null }
  | { id: Id; type: "subscribed"; channel: string; epoch: string; offset: number }
  | { id: Id; type: "unsubscribed"; channel: string }
  | ({ type: "unsubscribed"; id?: undefined; channel: string } & Ending)
  | { id: Id; type: "published"; channel: string; data: Record<string, unknown>[] }
  | ({ id: Id; type: "history"; channel: string } & HistoryPage)
  | ({ id: Id; type: "presence"; channel: string } & PresencePage)
  | { id: Id; type: "refreshed"; expires_in: number }
  | { id?: Id; type: "pong"; timestamp?: unknown }
  | { type: "error"; id?: Id; channel?: string; code: string; message: string; retry: boolean; retry_after?: number }
  | { type?: undefined; channel: string; offset?: number; data: Record<string, unknown> }
  | { type: "recovery"; channel: string; recovered: boolean; missed?: number }
  | { type: "dropped"; count: number }
  | { type: "token_expiring"; expires_in: number }
  | { type: "reconnect"; after_ms: number };

/** Why a subscription has ended. */
export interface Ending {
  code: string;
  message: string;
  /** Whether subscribing again may succeed. */
  retry: boolean;
}

/** A page of a channel's log. */
export interface HistoryPage<Frame = Record<string, unknown>> {
  epoch: string;
  /** The first offset that the log still holds. */
  first: number;
  head: number;
  events: { offset: number; data: Frame }[];
}

/** Who is in a channel. */
export interface PresencePage {
  /** How many there are altogether. */
  count: number;
  members: Member[];
  /** `after` of the next page, if there is one. */
  next: string | null;
}

/** Somebody who is in a channel; null: somebody without a token. */
export interface Member {
  user_id: Id | null;
  since: Timestamp;
  username?: string;
  first_name?: string;
  last_name?: string;
  viewing?: Id[];
  typing?: Id[];
}
