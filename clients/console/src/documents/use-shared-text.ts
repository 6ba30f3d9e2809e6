import { useEffect, useState } from "react";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import type { Named } from "../api/types.ts";
import { note } from "../live/connections.ts";
import { session } from "../session/session.ts";
import { type Anchor, HERE } from "./text-area-binding.ts";

/** What others are told of somebody's selection. */
export interface Place {
  readonly user: Named;
  readonly anchor?: Anchor;
  readonly head?: Anchor;
}

export interface SharedText {
  readonly text: Y.Text;
  readonly provider: WebsocketProvider;
  readonly undo: Y.UndoManager;
}

/** Close codes of documents after which coming back is in vain, and what they mean. */
const REFUSALS: Readonly<Record<number, string>> = {
  4401: "Your login is not accepted here.",
  4403: "You may not read this text.",
  4413: "The text has become too large.",
};

interface Opened {
  readonly shared?: SharedText;
  readonly synced?: boolean;
  readonly refusal?: string;
}

/** A text that all who have it open edit together, over `/ws/documents/…`, as any Yjs client does. */
export function useSharedText(name: string): Opened {
  const [opened, setOpened] = useState<Opened>({});
  useEffect(() => {
    const doc = new Y.Doc();
    const text = doc.getText("content");
    const params: Record<string, string> = {};
    const url = `${location.origin.replace(/^http/, "ws")}/ws/documents`;
    const provider = new WebsocketProvider(url, encodeURIComponent(name), doc, { connect: false, params });
    const undo = new Y.UndoManager(text, { trackedOrigins: new Set([HERE]) });
    let isOver = false;
    /** Each attempt has a token that is still good. */
    const renew = async () => {
      const token = await session.token({ reason: "connect" });
      if (token) params.token = token;
    };
    note(provider, "connecting");
    provider.on("status", ({ status }) => {
      // Its last word is said while it is taken down.
      if (isOver) return;
      note(provider, status === "connected" ? "open" : "connecting");
      if (status === "disconnected") void renew().catch(console.warn);
    });
    provider.on("sync", (synced: boolean) => synced && setOpened((known) => ({ ...known, synced })));
    provider.on("connection-close", (event) => {
      const refusal = event && REFUSALS[event.code];
      if (!refusal) return;
      provider.disconnect();
      setOpened((known) => ({ ...known, refusal }));
    });
    void renew().then(() => isOver || provider.connect(), console.warn);
    setOpened({ shared: { text, provider, undo } });
    return () => {
      isOver = true;
      note(provider, undefined);
      provider.destroy();
      doc.destroy();
      setOpened({});
    };
  }, [name]);
  return opened;
}
