// @vitest-environment jsdom
import { act, renderHook } from "@testing-library/react";
import { describe, expect, test } from "vitest";
import { useChat } from "../src/react/index.js";
import { below, until } from "./support/below.js";
import { startPage } from "./support/page.js";

const page = startPage();

describe("useChat", () => {
  test("of a conversation: messages, typing, receipts, reactions, edits and deletion", async () => {
    const [alice, bob] = [await page.gateway.login("alice"), await page.gateway.login("bob")];
    const { id } = (await page.gateway.call("POST", "/api/chat/conversations/", { participants: [1, 2] }, alice)) as unknown as {
      id: number;
    };
    const alices = renderHook(() => useChat(id), { wrapper: below(page, { token: alice }) }).result;
    const bobs = renderHook(() => useChat(id), { wrapper: below(page, { token: bob }) }).result;
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
    const { result } = renderHook(() => useChat(424242), { wrapper: below(page) });
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
    const { result } = renderHook(() => useChat(room), { wrapper: below(page, { connection: { backoff: { base: 100 } } }) });
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
