import { type ConnectionState, EndpointSocket, type Gap } from "@carillon/client";
import { useEffect, useEffectEvent, useMemo, useState } from "react";
import type { Frame } from "../api/types.ts";
import { session } from "../session/session.ts";
import { note } from "./connections.ts";

interface Handlers {
  /** Of the endpoint, each event once and in order. */
  onFrame(frame: Frame): void;
  /** The connection has come about, for the first time or again. */
  onOpen?(): void;
  /** Something was missed that doesn't come any more. */
  onGap?(gap: Gap): void;
}

interface Options extends Handlers {
  readonly query?: Readonly<Record<string, string | number>>;
  /** Whether its frames are shown in the browser's console, as document 3 has it. */
  readonly logged?: boolean;
}

export interface Endpoint {
  readonly state: ConnectionState;
  send(frame: Record<string, unknown>): void;
}

const IDLE: ConnectionState = { status: "idle", attempt: 0 };

/** Lines in the browser's console, for developers. */
function log(line: string, ...details: unknown[]): void {
  console.log(line, ...details);
}

/** One of the documents' endpoints, for as long as what uses it is shown; `undefined`: none. */
export function useEndpoint(path: string | undefined, options: Options): Endpoint {
  const [state, setState] = useState(IDLE);
  const [socket, setSocket] = useState<EndpointSocket<Frame>>();
  const query = JSON.stringify(options.query ?? {});
  const received = useEffectEvent((frame: Frame) => {
    if (options.logged) log("✅ [WebSocket] Received:", frame);
    options.onFrame(frame);
  });
  const changed = useEffectEvent((next: ConnectionState) => {
    if (next.status === "open") options.onOpen?.();
  });
  const missed = useEffectEvent((gap: Gap) => options.onGap?.(gap));

  useEffect(() => {
    if (path === undefined) return;
    const opened = new EndpointSocket<Frame>(path, { token: session.token, query: JSON.parse(query), log });
    note(opened, "idle");
    const unlisten = [
      opened.on("frame", (frame) => received(frame)),
      opened.on("gap", (gap) => missed(gap)),
      opened.on("state", (next) => {
        note(opened, next.status);
        setState(next);
        changed(next);
      }),
    ];
    setSocket(opened);
    return () => {
      for (const stop of unlisten) stop();
      note(opened, undefined);
      opened.close();
      setSocket(undefined);
      setState(IDLE);
    };
  }, [path, query]);

  return useMemo(() => ({ state, send: (frame) => void socket?.send(frame) }), [socket, state]);
}
