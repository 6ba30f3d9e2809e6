import type { ClientOptions } from "../carillon.js";
import type { SubscribeOptions } from "../client.js";
import type { Id } from "../frames/index.js";
import type { ConnectionState } from "../state.js";
import type { TokenRequest } from "../token.js";

/** What a tab can pass to a worker: everything but functions. */
export type PlainOptions = Omit<ClientOptions, "token" | "timers" | "WebSocket" | "log">;

/** What can be asked about a channel. */
export type Question = "publish" | "history" | "presence";

/** From a tab. */
export type FromTab =
  /** `hub`: which connection it shares. `lock`: it holds this one for as long as it lives. */
  | { do: "hello"; hub: string; options: PlainOptions; lock?: string }
  | { do: "connect" }
  | { do: "subscribe"; key: number; channel: string; options: SubscribeOptions }
  | { do: "unsubscribe"; key: number }
  | { do: "ask"; id: number; key: number; question: Question; value: unknown }
  | { do: "refresh"; token: string }
  | { do: "token"; id: number; token?: string; failure?: string }
  | { do: "bye" };

/** To a tab. */
export type ToTab =
  | { tell: "client"; name: string; value: unknown; state: ConnectionState; userId: Id | null | undefined }
  | { tell: "subscription"; key: number; name: string; value: unknown; since: string | undefined }
  | { tell: "answer"; id: number; value?: unknown; failure?: Failure }
  | { tell: "token"; id: number; request: TokenRequest };

/** A `CarillonError` on its way. */
export interface Failure {
  code: string;
  message: string;
  retry: boolean;
  retryAfter: number | undefined;
}

/** One side of the way between a tab and what it shares. */
export interface Port {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown): void;
}
