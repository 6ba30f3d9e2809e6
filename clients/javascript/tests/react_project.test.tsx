// @vitest-environment jsdom
import { act, renderHook, waitFor } from "@testing-library/react";
import { describe, expect, test } from "vitest";
import { usePresence, useWebSocketContext } from "../src/react/index.js";
import { below, until } from "./support/below.js";
import { startPage } from "./support/page.js";

const page = startPage();

describe("a project", () => {
  test("is connected when it is selected, with document 3's lines", async () => {
    await page.login("alice");
    const { result, rerender, unmount } = renderHook(useWebSocketContext, { wrapper: below(page, { project: 1 }) });
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
    const wrapper = below(page);
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
    const alices = renderHook(() => usePresence(1), { wrapper: below(page) }).result;
    const bobs = renderHook(() => usePresence(1), { wrapper: below(page, { token: bob }) });
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
