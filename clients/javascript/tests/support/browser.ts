import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

const programs = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/usr/bin/google-chrome-stable"];
const types: Record<string, string> = { ".js": "text/javascript", ".html": "text/html" };
const page = `<!doctype html><title>client</title><script type="module">
  import { createSharedClient } from "/dist/shared/index.js";
  import { connect } from "/dist/index.js";
  Object.assign(window, { createSharedClient, connect, ready: true });
</script>`;

/** A real Chromium, and a site that has the package as it is built. */
export class Site {
  readonly #server: Server;
  readonly #browser: Browser;
  readonly #contexts: BrowserContext[] = [];

  private constructor(server: Server, browser: Browser) {
    this.#server = server;
    this.#browser = browser;
  }

  static async start(): Promise<Site> {
    const executablePath = programs.find((program) => existsSync(program));
    if (!executablePath) throw new Error("there is no Chromium: scripts/setup-clients.sh chromium installs it");
    const server = createServer((request, response) => {
      const path = new URL(String(request.url), "http://localhost").pathname;
      const file = new URL(`../..${path}`, import.meta.url);
      const found = path.startsWith("/dist/") && existsSync(file);
      response.writeHead(path === "/" || found ? 200 : 404, { "content-type": types[extname(path)] ?? "text/html" });
      response.end(found ? readFileSync(file) : page);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
    return new Site(server, browser);
  }

  /** A browser of somebody's own; its tabs share what tabs do. */
  async visitor(): Promise<BrowserContext> {
    const context = await this.#browser.newContext();
    this.#contexts.push(context);
    return context;
  }

  async tab(visitor: BrowserContext): Promise<Page> {
    const tab = await visitor.newPage();
    await tab.goto(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`);
    await tab.waitForFunction("window.ready");
    return tab;
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    this.#server.close();
  }
}
