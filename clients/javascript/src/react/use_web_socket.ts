import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import type { ConnectionState, EndpointOptions, FrameOf, Sendable, Sent } from "../index.js";
import { useCarillon } from "./context.js";
import type { AnyFrame, SocketStore } from "./socket_store.js";
import { unconnected } from "./store.js";
import { Tier } from "./tier.js";

/** How document 3 uses a socket. */
export interface UseWebSocketOptions<Frame = AnyFrame> extends EndpointOptions {
  onMessage?: (data: Frame) => void;
}

/** What it gets. */
export interface WebSocketHandle<Frame = AnyFrame> {
  lastMessage: Frame | null;
  send(message: Sendable): Sent;
  isConnected: boolean;
  connection: ConnectionState;
  connect(): void;
  disconnect(): void;
}

/** What document 4's hook gives. */
export interface WebSocketConnection {
  connectionStatus: "Connected" | "Disconnected" | "Error";
  lastMessage: AnyFrame | null;
  sendMessage(message: Sendable): void;
  connect(): void;
  disconnect(): void;
}

/** As many messages as document 1's form keeps. */
const KEPT = 1000;

/** Document 1: `useWebSocket(url, token)`, all messages so far, the latest thousand of them. */
export function useWebSocket(url: string, token: string | null | undefined): AnyFrame[];
/** Document 4: `useWebSocket(url, onMessage, shouldConnect = true)`. */
export function useWebSocket(
  url: string | null | undefined,
  onMessage: ((message: AnyFrame) => void) | undefined,
  shouldConnect?: boolean,
): WebSocketConnection;
/** Document 3: `useWebSocket(path, { onMessage, autoConnect })`. */
export function useWebSocket<Path extends string>(path: Path, options?: UseWebSocketOptions<FrameOf<Path>>): WebSocketHandle<FrameOf<Path>>;
export function useWebSocket(...given: [string | null | undefined, unknown?, boolean?]): unknown {
  const form = formOf(given);
  const all = form.kind === "all";
  const [messages, setMessages] = useState<AnyFrame[]>([]);
  const heard = useRef(form.onMessage);
  useEffect(() => {
    heard.current = form.onMessage;
  });
  const store = useSocket(form);
  useEffect(() => {
    if (!store || !form.connects) return;
    if (all) setMessages([]);
    const unlisten = store.onFrame((frame) => {
      if (all) setMessages((earlier) => [...earlier.slice(1 - KEPT), frame]);
      heard.current?.(frame);
    });
    const release = store.retain();
    return () => {
      unlisten();
      release();
    };
  }, [store, form.connects, all]);
  const { connection, lastMessage } = useSyncExternalStore(store?.subscribe ?? nothing, store?.snapshot ?? idle, store?.snapshot ?? idle);
  if (all) return messages;
  const connected = connection.status === "open";
  const { connect, disconnect } = store ?? { connect: () => {}, disconnect: () => {} };
  if (form.kind === "status") {
    const failed = connection.reason && connection.reason.kind !== "asked" && connection.status === "closed";
    const connectionStatus = connected ? "Connected" : failed ? "Error" : "Disconnected";
    return { connectionStatus, lastMessage, sendMessage: (message: Sendable) => void store?.send(message), connect, disconnect };
  }
  return { lastMessage, send: store?.send ?? (() => "refused"), isConnected: connected, connection, connect, disconnect };
}

interface Form {
  kind: "all" | "status" | "handle";
  path: string | null | undefined;
  options: EndpointOptions;
  onMessage: ((data: never) => void) | undefined | ((data: AnyFrame) => void);
  connects: boolean;
}

/** By its arguments a call tells of which document it is. */
function formOf(
  given: [string | null | undefined, unknown?, boolean?],
): Omit<Form, "onMessage"> & { onMessage: ((data: AnyFrame) => void) | undefined } {
  const [path, second, shouldConnect] = given;
  if (typeof second === "function" || given.length > 2) {
    return { kind: "status", path, options: {}, onMessage: second as never, connects: (shouldConnect ?? true) && Boolean(path) };
  }
  if (typeof second === "string" || (given.length === 2 && !second)) {
    return { kind: "all", path, options: second ? { token: second as string } : {}, onMessage: undefined, connects: Boolean(second) };
  }
  const { onMessage, ...options } = (second ?? {}) as UseWebSocketOptions;
  return { kind: "handle", path, options, onMessage, connects: true };
}

/** An address with a token of its own has nothing to do with the provider's. */
function useSocket({ path, options }: Pick<Form, "path" | "options">): SocketStore | undefined {
  const { tier, options: shared } = useCarillon();
  const { query, token, since, autoConnect } = options;
  const key = JSON.stringify([query, typeof token === "function" ? "callback" : token, since, autoConnect]);
  const given = useRef({ key, options });
  if (given.current.key !== key) given.current = { key, options };
  const { current } = given;
  return useMemo(() => {
    if (!path) return undefined;
    const own = current.options.token !== undefined || /[?&]token=/.test(path);
    if (!own) return tier?.socket(path, current.options);
    const { token: _, ...bare } = shared;
    return new Tier(bare).socket(path, current.options);
  }, [tier, shared, path, current]);
}

const initial = { connection: unconnected.connection, lastMessage: null };
const idle = () => initial;
const nothing = () => () => {};
