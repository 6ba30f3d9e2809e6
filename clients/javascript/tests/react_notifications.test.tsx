// @vitest-environment jsdom
import { act, renderHook, screen, waitFor } from "@testing-library/react";
import { describe, expect, test } from "vitest";
import { type Toast, useNotifications } from "../src/react/index.js";
import { below, until } from "./support/below.js";
import { startPage } from "./support/page.js";

const page = startPage();

describe("useNotifications", () => {
  test("has the inbox, what comes, and what is unread", async () => {
    await page.login("alice");
    await page.gateway.notify(1, "Earlier", { id: "early", notification_type: "ticket_assigned" });
    const toasts: Toast[] = [];
    const { result } = renderHook(useNotifications, { wrapper: below(page, { toast: (toast) => toasts.push(toast) }) });
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
    const { result, unmount } = renderHook(useNotifications, { wrapper: below(page) });
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
    const { result } = renderHook(useNotifications, { wrapper: below(page, { toast: undefined as never }) });
    renderHook(useNotifications, { wrapper: below(page) });
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
