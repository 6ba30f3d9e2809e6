// @vitest-environment jsdom
import { act, renderHook, waitFor } from "@testing-library/react";
import { describe, expect, test, vi } from "vitest";
import { useWebSocket } from "../src/react/index.js";
import { below, until } from "./support/below.js";
import { startPage } from "./support/page.js";

const page = startPage();

describe("useWebSocket", () => {
  test("as document 3 calls it, and on demand", async () => {
    await page.login("alice");
    const heard = vi.fn();
    const { result } = renderHook(() => useWebSocket("ws/counter/react/", { onMessage: heard, autoConnect: false }), {
      wrapper: below(page),
    });
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
    const wrapper = below(page);
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
      wrapper: below(page),
      initialProps: { on: false },
    });
    expect(result.current.connectionStatus).toBe("Disconnected");
    rerender({ on: true });
    await until(result, ({ connectionStatus }) => connectionStatus === "Error");
  });
});
