import type { Backoff } from "./backoff.js";
import type { Timers } from "./timers.js";
import type { TokenSource } from "./token.js";

/** What a browser's `WebSocket` has, and other implementations of it too. */
export interface WebSocketLike {
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

/** How a socket is made. */
export type WebSocketConstructor = new (url: string, protocols?: string[]) => WebSocketLike;

/** What every connection can be told. All of it has a default. */
export interface ConnectionOptions {
  /** Where Carillon is, as `https://example.com` or `wss://example.com`. Default: where the page is from. */
  url?: string;
  /** Default: none, which is to be somebody without a token. */
  token?: TokenSource;
  /** How the token travels: as `?token=…`, as the documents have it, or among the subprotocols, which no log shows. Default: `query`. */
  tokenIn?: "query" | "subprotocol";
  /** How long to wait before coming back. */
  backoff?: Backoff;
  /** After so many milliseconds of silence the server is asked whether it is there (`ping`). 0: never. Default: 25,000. */
  heartbeat?: number;
  /** How long an answer may take until the connection is given up, and a handshake, in milliseconds. Default: 10,000. */
  patience?: number;
  /** How many frames or requests may wait while there is no connection. Default: 100. */
  queue?: number;
  /** Default: the global `WebSocket`. */
  WebSocket?: WebSocketConstructor;
  /** Gets a line, and what belongs to it, when something happens that a developer may want to see. Default: nobody. */
  log?: (line: string, ...details: unknown[]) => void;
  /** Default: those of the system. */
  timers?: Timers;
}
