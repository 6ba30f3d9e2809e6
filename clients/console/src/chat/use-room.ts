import { useState } from "react";
import { unique } from "../api/request.ts";
import type { Frame } from "../api/types.ts";
import { useEndpoint } from "../live/use-endpoint.ts";
import { same } from "../people/directory.ts";
import { useMe } from "../session/use-session.ts";
import { type Line, lineOfRoom, type RoomMessage, withLines } from "./lines.ts";

const HISTORY = 100;

export interface Room {
  readonly lines: readonly Line[];
  readonly loading: boolean;
  say(text: string): void;
}

/** A room that everyone can enter: what is said there, from the moment one comes in and a little before. */
export function useRoom(room: string): Room {
  const me = useMe();
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [loading, setLoading] = useState(true);
  const { send } = useEndpoint(`ws/chat/${encodeURIComponent(room)}/`, { query: { history: HISTORY }, onFrame });

  function onFrame(frame: Frame) {
    if (frame.type === "history") setLoading(false);
    if (frame.type === "chat_message") {
      const line = lineOfRoom(frame as unknown as RoomMessage);
      // One's own name is known in full.
      setLines((known) => withLines(known, [same(line.sender.id, me.id) ? { ...line, sender: me } : line]));
    }
    if (frame.type === "error" && frame.client_id) {
      const failure = String(frame.message);
      setLines((known) => known.map((line) => (line.key === frame.client_id ? { ...line, failure } : line)));
    }
  }
  function say(text: string) {
    const key = unique();
    const timestamp = new Date().toISOString();
    setLines((known) => withLines(known, [{ key, sender: me, text, timestamp, attachments: [], reactions: [] }]));
    send({ type: "chat_message", message: text, client_id: key });
  }
  return { lines, loading, say };
}
