// @vitest-environment jsdom
import { act, renderHook, screen, waitFor } from "@testing-library/react";
import { type ReactNode, StrictMode } from "react";
import { describe, expect, test, vi } from "vitest";
import {
  type Toast,
  useChat,
  useNotifications,
  usePresence,
  useWebSocket,
  useWebSocketContext,
  WebSocketProvider,
  type WebSocketProviderProps,
} from "../src/react/index.js";
import { startPage } from "./support/page.js";

const page = startPage();

/** Below a provider, with effects run twice. */
function below(props: WebSocketProviderProps = {}) {
  return function Below({ children }: { children: ReactNode }) {
    return (
      <StrictMode>
        <WebSocketProvider url={page.url} toast={false} {...props}>
          {children}
        </WebSocketProvider>
      </StrictMode>
    );
  };
}

/** What a hook has given last, once it is as it should be. */
function until<Value>(result: { current: Value }, is: (value: Value) => boolean): Promise<Value> {
  return waitFor(() => {
    if (!is(result.current)) throw new Error(`still ${JSON.stringify(result.current)}`);
    return result.current;
  });
}

describe("useNotifications", () => {
  test("has the inbox, what comes, and what is unread", async () => {
    await page.login("alice");
    await page.gateway.notify(1, "Earlier", { id: "early", notification_type: "ticket_assigned" });
    const toasts: Toast[] = [];
    const { result } = renderHook(useNotifications, { wrapper: below({ toast: (toast) => toasts.push(toast) }) });
    expect(result.current).toMatchObject({ notifications: [], unreadCount: 0, isConnected: false });
    await until(result, ({ unreadCount, isConnected }) => unreadCount === 1 && isConnected);
    await page.gateway.notify(1, "Ticket Assigned", { id: "ticket_123_assigned", ticket_id: 123, priority: "high" });
    const { notifications } = await until(result, ({ notifications }) => notifications.length === 2);
    expect(notifications).toMatchObject([
      { id: "ticket_123_assigned", title: "Ticket Assigned", message: "It works", ticket_id: 123 },
      { id: "early", title: "Earlier", notification_type: "ticket_assigned" },
    ]);
    expect(result.current.unreadCount).toBe(2);
    expect(toasts).toMatchObject([{ title: "Ticket Assigned", message: "It works", priority: "high", notification: { ticket_id: 123 } }]);
    act(() => result.current.markAsRead("early"));
    expect(result.current).toMatchObject({ unreadCount: 1, notifications: [{}, { is_read: true }] });
    await waitFor(async () => {
      const { counts } = await page.gateway.call("GET", "/api/notifications/", undefined, await page.gateway.login("alice"));
      expect(counts).toMatchObject({ unread: 1 });
    });
    act(() => result.current.markAllAsRead());
    await until(result, ({ unreadCount }) => unreadCount === 0);
    expect(page.paths).toEqual(["ws/notifications/"]);
  });

  test("connects when somebody logs in, as whoever that is, and lets go with the page", async () => {
    const { result, unmount } = renderHook(useNotifications, { wrapper: below() });
    expect(page.sockets).toEqual([]);
    await page.login("bob");
    await until(result, ({ isConnected }) => isConnected);
    localStorage.setItem("access_token", await page.gateway.login("bob"));
    await page.gateway.notify(2, "For Bob");
    await until(result, ({ notifications }) => notifications.some(({ title }) => title === "For Bob"));
    expect(page.sockets).toHaveLength(1);
    await page.login("carol");
    await until(result, ({ notifications, isConnected }) => isConnected && !notifications.some(({ title }) => title === "For Bob"));
    localStorage.clear();
    await until(result, ({ isConnected }) => !isConnected);
    unmount();
    await waitFor(() => expect(page.paths).toEqual([]));
  });

  test("shows a toast that can be read out and closed", async () => {
    await page.login("alice");
    const { result } = renderHook(useNotifications, { wrapper: below({ toast: undefined as never }) });
    renderHook(useNotifications, { wrapper: below() });
    await until(result, ({ isConnected }) => isConnected);
    await page.gateway.notify(1, "Quiet");
    await page.gateway.notify(1, "Urgent", { priority: "high" });
    expect((await screen.findByRole("status")).textContent).toContain("Quiet");
    const alert = await screen.findByRole("alert");
    expect(alert.textContent).toContain("UrgentIt works");
    screen.getByRole("button", { name: "Close: Urgent" }).click();
    expect(alert.textContent).toBe("");
    screen.getByRole("button", { name: "Close: Quiet" }).click();
  });
});

describe("a project", () => {
  test("is connected when it is selected, with document 3's lines", async () => {
    await page.login("alice");
    const { result, rerender, unmount } = renderHook(useWebSocketContext, { wrapper: below({ project: 1 }) });
    await until(result, ({ isTicketConnected, isPresenceConnected }) => isTicketConnected && isPresenceConnected);
    const lines = page.lines.map(([line]) => line);
    expect(lines.filter((line) => String(line).includes("MainLayout"))).toEqual([
      "🔌 [MainLayout] Connecting to WebSocket channels for project: 1",
    ]);
    for (const line of ["Connecting to", "Connected to"]) expect(lines).toContain(`🔌 [WebSocket] ${line} ws/projects/1/tickets/`);
    expect(page.lines).toContainEqual([
      "✅ [WebSocket] Received:",
      expect.objectContaining({ type: "connection_established", project_id: 1 }),
    ]);
    expect([...page.paths].sort()).toEqual(["ws/projects/1/presence/", "ws/projects/1/tickets/"]);
    rerender();
    expect(page.sockets).toHaveLength(2);
    act(() => result.current.disconnectPresence());
    expect(result.current).toMatchObject({ isTicketConnected: true, isPresenceConnected: false });
    unmount();
    await waitFor(() => expect(page.paths).toEqual([]));
  });

  test("that was asked for before anybody was logged in is connected when somebody is, and moves on to another one", async () => {
    const wrapper = below();
    const { result } = renderHook(useWebSocketContext, { wrapper });
    act(() => result.current.connectTickets(1));
    expect(page.sockets).toEqual([]);
    await page.login("alice");
    await until(result, ({ isTicketConnected }) => isTicketConnected);
    act(() => result.current.connectTickets(424242));
    await waitFor(() => expect(page.paths).toEqual([]));
    expect(result.current.isTicketConnected).toBe(false);
    act(() => result.current.connectTickets(1));
    await until(result, ({ isTicketConnected }) => isTicketConnected);
    expect(page.paths).toEqual(["ws/projects/1/tickets/"]);
  });

  test("has people in it, who look at tickets and type", async () => {
    const bob = await page.gateway.login("bob");
    await page.login("alice");
    const alices = renderHook(() => usePresence(1), { wrapper: below() }).result;
    const bobs = renderHook(() => usePresence(1), { wrapper: below({ token: bob }) });
    await until(alices, ({ count }) => count === 2);
    await until(bobs.result, ({ isConnected }) => isConnected);
    act(() => bobs.result.current.view(5));
    await until(alices, ({ present }) => present.some(({ username, viewing }) => username === "bob" && viewing.includes(5)));
    act(() => bobs.result.current.setTyping(5, true));
    await until(alices, ({ present }) => present.some(({ username, typing }) => username === "bob" && typing.includes(5)));
    act(() => bobs.result.current.view(null));
    await until(alices, ({ present }) => present.some(({ username, viewing }) => username === "bob" && viewing.length === 0));
    bobs.unmount();
    const { present } = await until(alices, ({ count }) => count === 1);
    expect(present.map(({ username }) => username)).toEqual(["alice"]);
  });
});

describe("useChat", () => {
  test("of a conversation: messages, typing, receipts, reactions, edits and deletion", async () => {
    const [alice, bob] = [await page.gateway.login("alice"), await page.gateway.login("bob")];
    const { id } = (await page.gateway.call("POST", "/api/chat/conversations/", { participants: [1, 2] }, alice)) as unknown as {
      id: number;
    };
    const alices = renderHook(() => useChat(id), { wrapper: below({ token: alice }) }).result;
    const bobs = renderHook(() => useChat(id), { wrapper: below({ token: bob }) }).result;
    for (const result of [alices, bobs])
      await until(result, ({ participants }) => participants.filter(({ status }) => status === "online").length === 2);
    act(() => alices.current.setTyping(true));
    await until(bobs, ({ typing }) => typing.some(({ username }) => username === "alice"));
    act(() => alices.current.send("Hello"));
    expect(alices.current.messages).toMatchObject([{ content: "Hello", status: "sending", sender: { username: "alice" } }]);
    const [message] = (await until(alices, ({ messages }) => messages[0]?.status === "sent")).messages;
    const number = message?.id as number;
    expect((await until(bobs, ({ messages }) => messages.length === 1)).messages[0]).toMatchObject({ id: number, content: "Hello" });
    await until(bobs, ({ typing }) => typing.length === 0);
    act(() => {
      bobs.current.markRead(number);
      bobs.current.react(number, "👍");
      bobs.current.send("Hi", { reply_to: number });
    });
    await until(alices, ({ participants }) => participants.some(({ username, read_up_to }) => username === "bob" && read_up_to === number));
    await until(alices, ({ messages }) => messages[0]?.reactions[0]?.emoji === "👍" && messages.length === 2);
    act(() => alices.current.edit(number, "Hello, Bob"));
    await until(bobs, ({ messages }) => messages[0]?.content === "Hello, Bob");
    act(() => alices.current.remove(number));
    await until(bobs, ({ messages }) => messages[0]?.deleted === true && messages[0].content === "");
    act(() => bobs.current.remove(number));
    await until(bobs, ({ error }) => error !== null);
  });

  test("of a conversation that isn't mine: what can't be sent has failed, and says why", async () => {
    await page.login("carol");
    const { result } = renderHook(() => useChat(424242), { wrapper: below() });
    act(() => result.current.send("Hello?"));
    expect(result.current.messages).toMatchObject([{ status: "sending" }]);
    const { error, messages } = await until(result, ({ messages }) => messages[0]?.status === "failed");
    expect([messages[0]?.error, messages[0]?.content]).toEqual([error, "Hello?"]);
    act(() => result.current.send("Anybody?"));
    expect(result.current.messages).toMatchObject([{ status: "failed" }, { status: "failed", content: "Anybody?" }]);
  });

  test("of a room: its history, older pages, and what is said while the gateway is away", async () => {
    const alice = await page.login("alice");
    const room = "react room ☕";
    const path = `/api/chat/rooms/${encodeURIComponent(room)}/messages/`;
    const admin = await page.gateway.login("admin");
    for (let number = 0; number < 60; number += 1) await page.gateway.call("POST", path, { message: `${number}` }, admin);
    const { result } = renderHook(() => useChat(room), { wrapper: below({ connection: { backoff: { base: 100 } } }) });
    await until(result, ({ messages, hasMore }) => messages.length === 50 && hasMore);
    await act(() => result.current.loadMore());
    expect(result.current.messages.map(({ content }) => content)).toEqual(Array.from({ length: 60 }, (_, number) => `${number}`));
    expect(result.current.hasMore).toBe(false);
    await page.gateway.stop("SIGKILL");
    expect((await until(result, ({ isConnected }) => !isConnected)).connection.reason).toMatchObject({ kind: "network" });
    act(() => result.current.send("from offline"));
    expect(result.current.messages.at(-1)).toMatchObject({ content: "from offline", status: "sending" });
    await page.gateway.start();
    await until(result, ({ messages }) => messages.at(-1)?.status === "sent");
    expect(result.current.messages).toHaveLength(61);
    const { messages } = (await page.gateway.call("GET", `${path}?limit=200`, undefined, alice)) as unknown as {
      messages: { message: string }[];
    };
    expect(messages.filter(({ message }) => message === "from offline")).toHaveLength(1);
  });
});

describe("useWebSocket", () => {
  test("as document 3 calls it, and on demand", async () => {
    await page.login("alice");
    const heard = vi.fn();
    const { result } = renderHook(() => useWebSocket("ws/counter/react/", { onMessage: heard, autoConnect: false }), { wrapper: below() });
    expect(result.current).toMatchObject({ lastMessage: null, isConnected: false, connection: { status: "idle" } });
    act(() => void result.current.send({ action: "increment", value: 5 }));
    act(() => result.current.connect());
    await waitFor(() => expect(heard).toHaveBeenCalledWith(expect.objectContaining({ type: "counter_update", counter: 5, value: 5 })));
    act(() => result.current.disconnect());
    await until(result, ({ isConnected }) => !isConnected);
  });

  test("components that use one address share its socket, and whoever comes late is greeted too", async () => {
    await page.login("alice");
    const [first, second] = [vi.fn(), vi.fn()];
    const wrapper = below();
    const { result, rerender } = renderHook(
      ({ both }) => {
        useWebSocket("ws/projects/1/tickets/", { onMessage: first });
        return useWebSocket(both ? "ws/projects/1/tickets/" : "ws/counter/", { onMessage: second });
      },
      { wrapper, initialProps: { both: false } },
    );
    await waitFor(() => expect(first).toHaveBeenCalledWith(expect.objectContaining({ type: "connection_established" })));
    rerender({ both: true });
    await waitFor(() => expect(second).toHaveBeenCalledWith(expect.objectContaining({ type: "connection_established" })));
    expect(result.current.isConnected).toBe(true);
    expect(page.sockets.filter(({ url }) => url.includes("tickets"))).toHaveLength(1);
    await waitFor(() => expect(page.paths).toEqual(["ws/projects/1/tickets/"]));
  });

  test("as document 4 calls it, tells of a refusal", async () => {
    const { result, rerender } = renderHook(({ on }) => useWebSocket(`ws://localhost:8000/ws/chat/4242/?token=nonsense`, undefined, on), {
      wrapper: below(),
      initialProps: { on: false },
    });
    expect(result.current.connectionStatus).toBe("Disconnected");
    rerender({ on: true });
    await until(result, ({ connectionStatus }) => connectionStatus === "Error");
  });
});
