import { type ChildProcess, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** The secret of tokens that tests make themselves. */
const SECRET = "a-secret-of-at-least-16-bytes";

/** Everything of Carillon in one process, as `make run` starts it, with data of its own. */
export class Gateway {
  readonly #arguments: string[];
  readonly #data = mkdtempSync(join(tmpdir(), "carillon-client-"));
  #process: ChildProcess | undefined;
  #port = 0;

  private constructor(further: string[]) {
    this.#arguments = further;
  }

  static async start(...further: string[]): Promise<Gateway> {
    const gateway = new Gateway(further);
    await gateway.start();
    return gateway;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Starts it, again at the address and with the data that it had. */
  async start(): Promise<void> {
    const listen = ["--listen", `127.0.0.1:${this.#port}`, "--ops-listen", "127.0.0.1:0", "--data-dir", this.#data];
    const started = spawn(program(), ["up", ...listen, "--log", "error", ...this.#arguments], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, CARILLON_JWT_SECRET: SECRET, CARILLON_BARE_IDS: "carillon" },
    });
    this.#process = started;
    for await (const line of createInterface({ input: started.stdout })) {
      const port = line.match(/listening on http:\/\/[^:]+:(\d+)/)?.[1];
      if (!port) continue;
      this.#port = Number(port);
      started.stdout.resume();
      return;
    }
    throw new Error("carillon did not start");
  }

  /** Stops it as an operator does, which sends its clients elsewhere first (SIGTERM), or without a word (SIGKILL). */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    const ending = this.#process;
    this.#process = undefined;
    if (!ending || ending.exitCode !== null) return;
    const ended = once(ending, "exit");
    ending.kill(signal);
    await ended;
  }

  /** Holds it where it is: its sockets stay open, and nothing comes over them; or lets it go on. */
  hold(held: boolean): void {
    this.#process?.kill(held ? "SIGSTOP" : "SIGCONT");
  }

  /** Stops it, and starts it at the same address with nothing of what it had. */
  async replace(): Promise<void> {
    await this.remove();
    await this.start();
  }

  /** Stops it for good. */
  async remove(): Promise<void> {
    await this.stop("SIGKILL");
    rmSync(this.#data, { recursive: true, force: true });
  }

  async call(method: string, path: string, body?: unknown, token?: string): Promise<Record<string, never>> {
    const response = await fetch(this.url + path, {
      method,
      // A connection that is kept may be closed by the other side just when it is used again.
      headers: { "content-type": "application/json", connection: "close", ...(token && { authorization: `Bearer ${token}` }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : {};
  }

  /** The token of one of the demo's users. */
  async login(username: string): Promise<string> {
    const { access } = await this.call("POST", "/api/auth/token/", { username, password: "carillon" });
    return String(access);
  }

  /** Sends a notification, as a back end does. */
  async notify(user: number, title: string, further: Record<string, unknown> = {}): Promise<void> {
    await this.call(
      "POST",
      "/api/notifications/send/",
      { user_id: user, title, message: "It works", ...further },
      await this.login("admin"),
    );
  }
}

/** A token of a user who isn't this deployment's own, good for so many seconds; negative: expired. */
export function minted(user: number, seconds: number): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${encode({ alg: "HS256", typ: "JWT" })}.${encode({ user_id: user, exp: Math.floor(Date.now() / 1000) + seconds })}`;
  return `${text}.${createHmac("sha256", SECRET).update(text).digest("base64url")}`;
}

/** `$CARILLON_BIN`, a directory or the program itself, or what `make build` has built. */
function program(): string {
  const where = process.env.CARILLON_BIN ?? join(import.meta.dirname, "../../../../target/debug");
  const found = existsSync(where) && statSync(where).isDirectory() ? join(where, "carillon") : where;
  if (!existsSync(found)) throw new Error(`there is no ${found}: run \`make build\` first`);
  return found;
}
