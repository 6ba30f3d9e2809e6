import { createServer, connect as dial, type Server, type Socket } from "node:net";

/** What stands before several gateways: a connection goes to one that takes it. */
export class Balancer {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #ports: readonly number[];

  constructor(ports: readonly number[]) {
    this.#ports = ports;
    this.#server = createServer((client) => this.#serve(client, this.#ports));
  }

  listen(): Promise<string> {
    return new Promise((resolve) => {
      this.#server.listen(0, "127.0.0.1", () => {
        resolve(`http://127.0.0.1:${(this.#server.address() as { port: number }).port}`);
      });
    });
  }

  /** From now on connections go to these alone; those that there are stay where they are. */
  prefer(...ports: readonly number[]): void {
    this.#ports = ports;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
  }

  #serve(client: Socket, [port, ...others]: readonly number[]): void {
    if (port === undefined) {
      client.destroy();
      return;
    }
    const gateway = dial(port, "127.0.0.1");
    gateway.once("connect", () => {
      gateway.removeAllListeners("error");
      for (const [one, other] of [[client, gateway] as const, [gateway, client] as const]) {
        this.#open.add(one);
        one.on("error", () => other.destroy());
        one.on("close", () => {
          this.#open.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
    gateway.once("error", () => this.#serve(client, others));
  }
}
