// @vitest-environment jsdom

import { NotificationPanel as Panel } from "document:1-hook?NotificationPanel&usage.jsx";
import { NotificationPanel as PanelOfTheDocument } from "document:1-hook?NotificationPanel.jsx";
import { NotificationBell } from "document:3-notification-bell?NotificationBell.tsx";
import { ProjectView } from "document:3-project-view?ProjectView.tsx";
import { TicketList } from "document:3-ticket-list?TicketList.tsx";
import { ChatComponent } from "document:4-chat-component?ChatComponent.jsx";
import { useWebSocket as hookOfTheDocument } from "document:4-hook?useWebSocket.jsx";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { createElement, type ReactNode, StrictMode, useEffect } from "react";
import { renderToString } from "react-dom/server";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { useWebSocket, WebSocketProvider } from "../src/react/index.js";
import { startPage } from "./support/page.js";

// The documents' front ends, word for word, on this package (S0-14, S1-10, S3-05, S4-07).
const page = startPage();

beforeEach(() => {
  // What document 3's components have from Ant Design and from React without saying so.
  const Badge = ({ count, children }: { count: number; children: ReactNode }) =>
    createElement("span", { title: `unread ${count}` }, children);
  Object.assign(globalThis, { Badge, BellOutlined: () => "🔔", useEffect });
});

function show(component: ReactNode): void {
  render(
    <StrictMode>
      <WebSocketProvider>{component}</WebSocketProvider>
    </StrictMode>,
  );
}

/** Waits for a line in the browser's console. */
function logged(...line: unknown[]): Promise<void> {
  return waitFor(() => expect(page.lines).toContainEqual(line));
}

describe("document 1", () => {
  test.each([
    ["this package's hook", Panel],
    ["the document's own", PanelOfTheDocument],
  ])("NotificationPanel shows what comes, with %s", async (_, NotificationPanel) => {
    const token = await page.gateway.login("alice");
    render(<NotificationPanel token={token} />);
    await waitFor(() => expect(document.querySelectorAll("div > div > div")).toHaveLength(1));
    await page.gateway.notify(1, "Task Complete");
    await screen.findByText("Task Complete");
    expect(page.sockets.at(-1)?.url).toMatch(/\/ws\/notifications\/\?.*token=/);
  });
});

describe("document 3", () => {
  test("NotificationBell counts, and a toast is shown by itself", async () => {
    await page.login("bob");
    show(<NotificationBell />);
    await logged("🔌 [WebSocket] Connecting to ws/notifications/");
    await logged("🔌 [WebSocket] Connected to ws/notifications/");
    await logged("✅ [WebSocket] Received:", expect.objectContaining({ type: "connection_established", user_id: 2 }));
    await page.gateway.notify(2, "Ticket Assigned");
    await screen.findByTitle("unread 1");
    await waitFor(() => expect(screen.getByRole("status").textContent).toContain("Ticket Assigned"));
  });

  test("TicketList hears of a ticket", async () => {
    const token = await page.login("alice");
    show(<TicketList projectId={1} />);
    await screen.findByText("Your ticket list");
    await logged("🔌 [WebSocket] Connected to ws/projects/1/tickets/");
    await page.gateway.call("POST", "/api/projects/1/tickets/", { title: "Fix login bug" }, token);
    await logged("Ticket updated:", expect.objectContaining({ title: "Fix login bug" }));
  });

  test("ProjectView says whether it is live", async () => {
    await page.login("alice");
    show(<ProjectView projectId={1} />);
    await screen.findByText("Connection: 🟢 Live");
    expect([...page.paths].sort()).toEqual(["ws/projects/1/presence/", "ws/projects/1/tickets/"]);
  });

  test("test 4, whose last line waits for the connection", async () => {
    const token = await page.login("alice");
    const pasted = readFileSync(join(import.meta.dirname, "../../../tests/end_to_end/documents/3-console.js"), "utf8");
    const ping = /\nws\.send\(.*\n/;
    // As it is written it throws in any browser, since nothing is connected yet.
    expect(() => new Function(pasted)()).toThrow(/CONNECTING/);
    const waiting = pasted
      .replace(ping, "")
      .replace('console.log("✅ Connected to notifications!")', (line) => `{ ${line}; ${pasted.match(ping)?.[0]} }`);
    new Function(waiting)();
    await logged("Token:", token);
    await logged("✅ Connected to notifications!");
    await logged("📨 Message received:", { type: "pong", timestamp: expect.any(Number) });
    for (const socket of page.sockets) socket.close();
    await logged("🔌 Connection closed:", 1000);
  });
});

describe("document 4", () => {
  test("ChatComponent shows its state, and hears what is said", async () => {
    const token = await page.gateway.login("alice");
    const { id } = (await page.gateway.call("POST", "/api/chat/conversations/", { participants: [1, 2] }, token)) as unknown as {
      id: number;
    };
    render(<ChatComponent conversationId={id} jwtToken={token} />);
    await screen.findByText("Connection Status: Connected");
    await logged("Received message:", expect.objectContaining({ type: "conversation_joined" }));
  });

  test.each([
    ["this package's hook", useWebSocket],
    ["the document's own", hookOfTheDocument],
  ])("a message is sent and heard, with %s", async (name, hook) => {
    const token = await page.gateway.login("alice");
    const heard = vi.fn();
    const text = `Hello from ${name}`;
    function Room() {
      const url = `ws://localhost:8000/ws/chat/document-four/?token=${token}`;
      const { connectionStatus, lastMessage, sendMessage, connect, disconnect } = hook(url, heard, true);
      return (
        <>
          <p>{connectionStatus}</p>
          <p>{JSON.stringify(lastMessage)}</p>
          <button type="button" onClick={() => sendMessage({ type: "chat_message", message: text, message_type: "text" })}>
            say
          </button>
          <button type="button" onClick={disconnect}>
            disconnect
          </button>
          <button type="button" onClick={connect}>
            connect
          </button>
        </>
      );
    }
    render(<Room />);
    await screen.findByText("Connected");
    fireEvent.click(screen.getByText("say"));
    await waitFor(() => expect(heard).toHaveBeenCalledWith(expect.objectContaining({ message: text, username: "alice" })));
    await screen.findByText(new RegExp(text));
    fireEvent.click(screen.getByText("disconnect"));
    await screen.findByText("Disconnected");
    fireEvent.click(screen.getByText("connect"));
    await screen.findByText("Connected");
  });
});

test("on a server everything renders as offline, and nothing connects", async () => {
  await page.login("alice");
  const html = renderToString(
    <WebSocketProvider project={1}>
      <NotificationBell />
      <ProjectView projectId={1} />
    </WebSocketProvider>,
  );
  expect(html).toContain("🔴 Offline");
  expect(page.sockets).toEqual([]);
});
