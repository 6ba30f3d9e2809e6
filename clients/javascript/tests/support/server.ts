import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

/** One connection of a client to a server that does what a test wants. */
export class Visit {
  readonly socket: WebSocket;
  readonly url: URL;
  readonly protocol: string;
  readonly #frames: unknown[] = [];
  #wake: (() => void) | undefined;

  constructor(socket: WebSocket, request: IncomingMessage) {
    this.socket = socket;
    this.url = new URL(String(request.url), "http://localhost");
    this.protocol = String(request.headers["sec-websocket-protocol"] ?? "");
    socket.on("message", (text) => {
      this.#frames.push(JSON.parse(String(text)));
      this.#wake?.();
    });
  }

  send(...frames: unknown[]): void {
    for (const frame of frames) this.socket.send(JSON.stringify(frame));
  }

  /** The next frame that the client has sent. */
  async heard(): Promise<never> {
    while (this.#frames.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#frames.shift() as never;
  }

  /** All that the client has sent and nobody has looked at. */
  get unread(): unknown[] {
    return this.#frames;
  }
}

/** A server for what the real one can't be made to do. */
export class FakeServer {
  readonly #server: WebSocketServer;
  readonly #visits: Visit[] = [];
  #wake: (() => void) | undefined;

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on("connection", (socket, request) => {
      this.#visits.push(new Visit(socket, request));
      this.#wake?.();
    });
  }

  static async start(): Promise<FakeServer> {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await new Promise((resolve) => server.once("listening", resolve));
    return new FakeServer(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next connection. */
  async visit(): Promise<Visit> {
    while (this.#visits.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#visits.shift() as Visit;
  }

  stop(): void {
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
  }
}
