import { useCallback, useEffect, useState } from "react";
import { request } from "../api/request.ts";
import type { Frame, Notification } from "../api/types.ts";
import { useEndpoint } from "../live/use-endpoint.ts";
import { hashOf } from "../routing/route.ts";
import { toast } from "./toasts.tsx";

interface Page {
  readonly items: readonly Notification[];
  readonly counts: { readonly unread: number };
  readonly version: number;
}

export interface Inbox {
  readonly items: readonly Notification[] | undefined;
  readonly unread: number;
  /** Counts up with each notification that comes while the page is open. */
  readonly arrivals: number;
  read(notification: Notification): void;
  readAll(): void;
}

const SHOWN = 30;

/** Where a notification leads. */
export function targetOf({ ticket_id, project_id, data }: Notification): string | undefined {
  if (ticket_id && project_id) {
    return hashOf({ page: "board", project: String(project_id), ticket: String(ticket_id) });
  }
  const conversation = data?.conversation_id;
  return conversation ? hashOf({ page: "conversation", conversation: String(conversation) }) : undefined;
}

/** A `notification_message` as the inbox would list it. In this dialect `id` may be its sender's own. */
function arrived(data: Record<string, unknown>): Notification {
  return { ...(data as unknown as Notification), id: Number(data.notification_id ?? data.id), is_read: false };
}

/** The notifications of whoever is logged in, as they come. */
export function useInbox(): Inbox {
  const [items, setItems] = useState<readonly Notification[]>();
  const [unread, setUnread] = useState({ count: 0, version: -1 });
  const [arrivals, setArrivals] = useState(0);

  const count = useCallback((count: number, version: number) => {
    setUnread((known) => (version >= known.version ? { count, version } : known));
  }, []);
  const load = useCallback(async () => {
    const page = await request<Page>("GET", `/api/notifications/?limit=${SHOWN}`);
    setItems(page.items);
    count(page.counts.unread, page.version);
  }, [count]);
  useEffect(() => void load().catch(() => setItems([])), [load]);

  function onFrame(frame: Frame) {
    if (frame.type === "unread_count") {
      count(Number(frame.count), Number(frame.version));
      return;
    }
    if (frame.type !== "notification_message") return;
    const news = arrived(frame.data as Record<string, unknown>);
    const href = targetOf(news);
    setItems((known = []) => [news, ...known.filter((item) => item.id !== news.id)].slice(0, SHOWN));
    setUnread((known) => ({ ...known, count: known.count + 1 }));
    setArrivals((arrivals) => arrivals + 1);
    // Whoever looks at it already need not be told.
    if (!href || location.hash !== href) toast({ title: news.title, message: news.message, ...(href && { href }) });
  }
  useEndpoint("ws/notifications/", {
    query: { dialect: "ticketing" },
    logged: true,
    onFrame,
    onGap: () => void load(),
  });

  function read(notification: Notification) {
    if (notification.is_read) return;
    mark((item) => item.id === notification.id);
    void request("POST", `/api/notifications/${notification.id}/read/`);
  }
  function readAll() {
    mark(() => true);
    void request("POST", "/api/notifications/read-all/", { body: {} });
  }
  function mark(which: (item: Notification) => boolean) {
    setItems((known) => known?.map((item) => (which(item) ? { ...item, is_read: true } : item)));
  }
  return { items, unread: unread.count, arrivals, read, readAll };
}
