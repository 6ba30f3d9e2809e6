// @vitest-environment jsdom
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { WebSocketProvider } from "../src/react/index.js";
import { startPage } from "./support/page.js";

// Every block of code of the README, as it is written.
const page = startPage();
const [show, reload, showState] = [vi.fn(), vi.fn(), vi.fn()];

beforeEach(async () => {
  Object.assign(globalThis, { show, reload, showState });
  await page.login("alice");
});
afterEach(async () => {
  for (const socket of page.sockets) socket.close();
  await waitFor(() => expect(page.sockets.every(({ readyState }) => readyState === 3)).toBe(true));
  vi.clearAllMocks();
});

test("none is forgotten here", () => {
  const text = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");
  expect([...text.matchAll(/^```(js|tsx|jsx|ts)$/gm)]).toHaveLength(7);
});

test("an endpoint", async () => {
  await import("readme:1");
  await waitFor(() => expect(showState).toHaveBeenCalledWith("open", undefined));
  await page.gateway.notify(1, "From the README");
  await waitFor(() => expect(show).toHaveBeenCalledWith("From the README"));
});

test("channels", async () => {
  await import("readme:2");
  expect(show).toHaveBeenCalledWith("Hello");
  expect(show).toHaveBeenCalledWith(expect.stringMatching(/^1 here, [2-9] events$/));
  expect(showState).not.toHaveBeenCalled();
});

test("all tabs", async () => {
  await import("readme:3");
  await waitFor(() => expect(page.paths).toContain("ws/v1/"));
  const send = () => page.gateway.call("POST", "/api/notifications/send/", { title: "To all", message: "!" });
  await waitFor(async () => {
    await send();
    expect(show).toHaveBeenCalledWith("To all");
  });
});

test("React: notifications and a project", async () => {
  const { App } = await import("readme:4");
  render(<App project={1} />);
  await screen.findByText("🟢 Live");
  await page.gateway.notify(1, "For the bell");
  const [newest] = await waitFor(() => {
    const items = screen.getAllByRole("listitem");
    expect(items[0]?.textContent).toBe("For the bell Mark as read");
    return items;
  });
  fireEvent.click(newest?.querySelector("button") as HTMLElement);
  expect(newest?.textContent).toBe("For the bell ");
});

test("React: chat and presence", async () => {
  const { Conversation, Watchers } = await import("readme:5");
  const token = await page.gateway.login("alice");
  const { id } = (await page.gateway.call("POST", "/api/chat/conversations/", { participants: [1, 2] }, token)) as unknown as {
    id: number;
  };
  render(
    <WebSocketProvider toast={false}>
      <Conversation id={id} />
      <Watchers project={1} ticket={9} />
    </WebSocketProvider>,
  );
  await waitFor(() => expect(page.lines.map(([line]) => line)).toContain(`🔌 [WebSocket] Connected to ws/chat/${id}/`));
  fireEvent.click(screen.getByText("Say hello"));
  await waitFor(() => expect(screen.getByText("alice: Hello").getAttribute("aria-busy")).toBe("false"));
  await waitFor(() => {
    fireEvent.click(screen.getByText(/^Watch with/));
    expect(screen.getByText("Watch with alice")).toBeTruthy();
  });
});

test("React: the documents' forms", async () => {
  const { Forms } = await import("readme:6");
  const onMessage = vi.fn();
  const token = await page.gateway.login("alice");
  render(
    <WebSocketProvider toast={false}>
      <Forms url="ws://localhost:8000/ws/notifications/" token={token} onMessage={onMessage} />
    </WebSocketProvider>,
  );
  await screen.findByText(/^Connected, [1-9]\d* frames, one of tickets$/);
  fireEvent.click(screen.getByRole("button"));
  await waitFor(() => expect(onMessage.mock.calls.filter(([frame]) => frame.type === "pong")).toHaveLength(2));
});

test("time and chance", async () => {
  await import("readme:7");
  await waitFor(() => expect(page.sockets.some(({ url }) => url.startsWith("ws://127.0.0.1:1/ws/counter/"))).toBe(true));
});
