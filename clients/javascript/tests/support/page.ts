import { cleanup, configure } from "@testing-library/react";
import { afterAll, afterEach, beforeAll, vi } from "vitest";
import { Gateway } from "./gateway.js";

// Long enough for a machine that has much else to do.
configure({ asyncUtilTimeout: 30_000 });

/** A page of a deployment that the documents take to be at `localhost:8000`, with everything that its browser's console has shown. */
export class Page {
  gateway!: Gateway;
  readonly lines: unknown[][] = [];
  /** Every socket that was made. */
  readonly sockets: WebSocket[] = [];

  get url(): string {
    return this.gateway.url;
  }

  /** Logs in as document 3 does. */
  async login(username: string): Promise<string> {
    const token = await this.gateway.login(username);
    localStorage.setItem("access_token", token);
    return token;
  }

  /** The paths of the sockets that are open, or being opened. */
  get paths(): string[] {
    return this.sockets.filter(({ readyState }) => readyState < 2).map(({ url }) => new URL(url).pathname.slice(1));
  }
}

/** Sets up a page before the tests of a file, and empties it after each. */
export function startPage(): Page {
  const page = new Page();
  const Native = globalThis.WebSocket;
  beforeAll(async () => {
    page.gateway = await Gateway.start();
    const there = page.url.replace("http://", "");
    const beyond = globalThis.fetch;
    globalThis.fetch = (address, options) =>
      beyond(String(address).replace("localhost:8000", there), { ...options, headers: { ...options?.headers, connection: "close" } });
    globalThis.WebSocket = class extends Native {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(String(url).replace("localhost:8000", there), protocols);
        page.sockets.push(this);
      }
    };
    vi.spyOn(console, "log").mockImplementation((...line) => void page.lines.push(line));
  });
  afterEach(() => {
    cleanup();
    localStorage.clear();
    document.body.replaceChildren();
    page.lines.length = 0;
    page.sockets.length = 0;
  });
  afterAll(async () => {
    globalThis.WebSocket = Native;
    vi.restoreAllMocks();
    await page.gateway?.remove();
  });
  return page;
}
