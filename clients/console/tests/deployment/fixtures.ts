import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, expect, type Page, test as plain } from "@playwright/test";
import { Api, PASSWORD, type Person, type Project } from "./api.ts";
import { Cluster } from "./cluster.ts";
import { freePort, Program } from "./program.ts";

/** Two people with a project of their own, in which nobody else is. */
export interface Team {
  readonly alice: Person;
  readonly bob: Person;
  readonly project: Project;
}

interface ForEach {
  readonly team: Team;
  /** Opens the console in a browser of its own, logged in as this person. */
  readonly visit: (person: { username: string }, options?: BrowserContextOptions) => Promise<Page>;
}

interface ForAll {
  /** Where `carillon up` serves. */
  readonly url: string;
  readonly admin: Api;
  readonly cluster: Cluster;
}

export const test = plain.extend<ForEach, ForAll>({
  url: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads from it that nothing is needed
    async ({}, use) => {
      const [port, operations] = [await freePort(), await freePort()];
      const directory = mkdtempSync(join(tmpdir(), "carillon-browser-"));
      const listen = ["--listen", `127.0.0.1:${port}`, "--ops-listen", `127.0.0.1:${operations}`];
      const program = new Program("carillon", ["up", "--data-dir", directory, ...listen, "--drain-seconds", "0"]);
      await program.says(/^listening on /m);
      await use(`http://127.0.0.1:${port}`);
      await program.stop();
      rmSync(directory, { recursive: true });
    },
    { scope: "worker", timeout: 120_000 },
  ],
  admin: [async ({ url }, use) => use(await new Api(url).logIn("admin")), { scope: "worker" }],
  cluster: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads from it that nothing is needed
    async ({}, use) => {
      const cluster = await Cluster.start();
      await use(cluster);
      await cluster.stop();
    },
    { scope: "worker", timeout: 240_000 },
  ],
  team: async ({ admin }, use) => use(await teamOf(admin)),
  visit: async ({ browser, url }, use) => {
    const contexts: (() => Promise<void>)[] = [];
    await use(async (person, options) => {
      const page = await open(browser, url, options);
      contexts.push(() => page.context().close());
      await logIn(page, person.username);
      return page;
    });
    for (const close of contexts) await close();
  },
});

export async function teamOf(admin: Api): Promise<Team> {
  const [alice, bob] = [await admin.createUser("Alice"), await admin.createUser("Bob")];
  return { alice, bob, project: await admin.createProject("Test project", [alice, bob]) };
}

/** A page of the console in a browser that knows nobody; what goes wrong in it fails the test. */
export async function open(browser: Browser, url: string, options?: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext({ baseURL: url, ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => {
    throw error;
  });
  await page.goto("/");
  return page;
}

export async function logIn(page: Page, username: string): Promise<void> {
  await page.getByLabel("Username").fill(username);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("navigation", { name: "Pages" })).toBeVisible();
}

/** Picks a project, and waits until its board is there and live. */
export async function pick(page: Page, { name }: Project): Promise<void> {
  await page.getByRole("link", { name }).click();
  await expect(page.getByRole("region", { name: "Open", exact: true })).toBeVisible();
  await live(page);
}

export async function live(page: Page): Promise<void> {
  await expect(page.getByRole("status", { name: "Connection: Live" })).toBeVisible();
}

/** A column of the board. */
export function column(page: Page, name: string) {
  return page.getByRole("region", { name, exact: true });
}

export { expect };
