import type { Unlisten } from "./emitter.js";
import type { Ending, EventOf, HistoryPage, Id, PresencePage } from "./frames/index.js";
import type { ConnectionState } from "./state.js";

/** What an event of a channel is. */
export interface ChannelEvent<Frame> {
  readonly data: Frame;
  /** Its place in the channel's log; undefined where it is in none, such as typing. */
  readonly offset?: number;
}

/** What a subscription tells. */
export interface SubscriptionEvents<Frame> {
  /** An event, each once and in order. */
  event: ChannelEvent<Frame>;
  /** It listens, at first and after each reconnection. */
  subscribed: { readonly epoch: string; readonly offset: number };
  /** Something was missed that doesn't come any more: load the state anew. */
  gap: { readonly channel: string };
  /** After a reconnection: so many events were missed, and follow. */
  recovery: { readonly missed: number };
  /** Nothing comes any more: it was refused, or has been ended by the channel's owner. */
  ended: Ending;
}

/** How one can subscribe. */
export interface SubscribeOptions {
  /** What the channel's own endpoint takes in its query, as `{history: 50}`. Of several subscriptions to a channel the first one's counts. */
  query?: Record<string, string | number | boolean>;
  /** The place to resume from, `<epoch>.<offset>`, of an earlier visit. */
  since?: string;
}

/** Listens to one channel, over all reconnections, until `unsubscribe`. */
export interface Subscription<Frame = Record<string, unknown>> {
  readonly channel: string;
  readonly status: "pending" | "subscribed" | "ended";
  /** Where it is, for `since` of a later visit. */
  readonly since: string | undefined;
  on<Name extends keyof SubscriptionEvents<Frame>>(name: Name, listener: (value: SubscriptionEvents<Frame>[Name]) => void): Unlisten;
  /** Says something to the channel's owner; its answer to the sender alone, such as `message_ack`. */
  publish(data: Record<string, unknown>): Promise<Record<string, unknown>[]>;
  /** A page of the channel's log, after that offset. */
  history(page?: { after?: number; limit?: number }): Promise<HistoryPage<Frame>>;
  /** Who is there. */
  presence(page?: { after?: string | null; limit?: number }): Promise<PresencePage>;
  unsubscribe(): void;
}

/** What a client tells. */
export interface ClientEvents {
  state: ConnectionState;
  /** The server has let it in, as this user; null: without a token. */
  connected: { readonly connection: string; readonly user_id: Id | null };
  /** The server left out so many ephemeral events, because this client reads too slowly. */
  dropped: { readonly count: number };
  /** There was no room for this request: nothing more is taken until there is a connection. */
  overflow: { readonly request: unknown };
  /** The server complains of something that was no request of this client's. */
  error: { readonly code: string; readonly message: string };
}

/** `carillon.v1`: any number of channels on one connection, of this page or of all tabs. */
export interface Client {
  readonly state: ConnectionState;
  /** As whom; undefined before it was let in, null without a token. */
  readonly userId: Id | null | undefined;
  on<Name extends keyof ClientEvents>(name: Name, listener: (value: ClientEvents[Name]) => void): Unlisten;
  connect(): void;
  /** Ends it, and every subscription. */
  close(): void;
  subscribe<Channel extends string>(channel: Channel, options?: SubscribeOptions): Subscription<EventOf<Channel>>;
  /** Goes on with another token. */
  refresh(token: string): void;
}
