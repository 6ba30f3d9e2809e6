import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

const REPOSITORY = join(import.meta.dirname, "../../../..");

/** Where the programs are that are tested: `make build` puts them there. */
function binary(name: string): string {
  const path = join(process.env.CARILLON_BIN ?? join(REPOSITORY, "target/debug"), name);
  if (!existsSync(path)) throw new Error(`${path} is not there: make build, or say where in CARILLON_BIN`);
  return path;
}

/** A port that nobody uses at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** A program of ours at work, and what it says. */
export class Program {
  readonly #process: ChildProcess;
  #said = "";

  constructor(name: string, args: readonly string[]) {
    // Its input stays open for as long as we are there.
    this.#process = spawn(binary(name), args, { stdio: ["pipe", "pipe", "pipe"] });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on("data", (text) => {
        this.#said = (this.#said + text).slice(-100_000);
      });
    }
  }

  get said(): string {
    return this.#said;
  }

  /** Resolves once it has said this. */
  says(expected: RegExp): Promise<RegExpMatchArray> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.#said.match(expected);
        if (found) resolve(found);
        return found;
      };
      if (look()) return;
      this.#process.stdout?.on("data", look);
      this.#process.once("exit", (code) => reject(new Error(`it ended (${code}):\n${this.#said}`)));
    });
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    // A cluster that waits for the end of its input waits for it even then.
    this.#process.stdin?.end();
    this.#process.kill("SIGTERM");
    await ended;
  }
}
