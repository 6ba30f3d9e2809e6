import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { Api } from "./api.ts";
import { Balancer } from "./balancer.ts";
import { freePort, Program } from "./program.ts";

/** A whole cluster (`make cluster`): NATS, Postgres, two gateways and two replicas of each service. */
export class Cluster {
  private constructor(
    readonly program: Program,
    readonly balancer: Balancer,
    /** The two gateways', and the balancer's before them. */
    readonly gateways: readonly [string, string],
    readonly ports: readonly [number, number],
    readonly url: string,
  ) {}

  static async start(): Promise<Cluster> {
    const port = await freePort();
    const program = new Program("cluster", ["--port", String(port), "--until-eof"]);
    await program.says(/^ready: /m);
    const ports = [port, port + 1] as const;
    const balancer = new Balancer(ports);
    const url = await balancer.listen();
    return new Cluster(program, balancer, [`http://127.0.0.1:${port}`, `http://127.0.0.1:${port + 1}`], ports, url);
  }

  admin(): Promise<Api> {
    return new Api(this.gateways[1]).logIn("admin");
  }

  /** Kills the gateway at this port, without a word. */
  kill(port: number): void {
    process.kill(listener(port), "SIGKILL");
  }

  async stop(): Promise<void> {
    this.balancer.close();
    await this.program.stop();
  }
}

/** The process that listens at a port of this machine, as Linux tells. */
function listener(port: number): number {
  const address = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const line = readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .find((fields) => fields[1] === address && fields[3] === "0A");
  const socket = `socket:[${line?.[9]}]`;
  for (const process of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const files = readdirSync(`/proc/${process}/fd`);
      if (files.some((file) => links(`/proc/${process}/fd/${file}`, socket))) return Number(process);
    } catch {
      // It is somebody else's, or has ended.
    }
  }
  throw new Error(`nobody listens at ${port}`);
}

function links(path: string, to: string): boolean {
  try {
    return readlinkSync(path) === to;
  } catch {
    return false;
  }
}
