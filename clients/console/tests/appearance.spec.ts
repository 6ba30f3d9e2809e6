import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { unique } from "./deployment/api.ts";
import { expect, live, pick, test } from "./deployment/fixtures.ts";
import { furnish } from "./deployment/furnish.ts";

/** Nothing on the page keeps anybody out, as far as a program can tell: names, roles, contrast, order. */
async function isAccessible(page: Page, what: string) {
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"])
    .analyze();
  const found = violations.filter(({ impact }) => impact !== "minor");
  const shown = found.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join("\n")}`,
  );
  expect(shown, what).toEqual([]);
}

/** Nothing hangs over its edge. */
async function isWithinTheScreen(page: Page, what: string) {
  const excess = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(excess, what).toBeLessThanOrEqual(0);
}

for (const colorScheme of ["light", "dark"] as const) {
  for (const [screen, viewport] of [
    ["wide", { width: 1280, height: 800 }],
    ["narrow", { width: 360, height: 740 }],
  ] as const) {
    test(`every page can be used by everyone: ${colorScheme}, ${screen}`, async ({
      visit,
      team,
      admin,
      browser,
      url,
    }) => {
      // It looks at a dozen pages.
      test.slow();
      const conversation = await furnish(admin, team);
      const stranger = await (await browser.newContext({ baseURL: url, colorScheme, viewport })).newPage();
      await stranger.goto("/");
      await expect(stranger.getByLabel("Username")).toBeVisible();
      await isAccessible(stranger, "the form");
      const page = await visit(team.alice, { colorScheme, viewport, reducedMotion: "reduce" });
      const look = async (what: string) => {
        await live(page);
        await isAccessible(page, what);
        await isWithinTheScreen(page, what);
      };
      await expect(page.getByRole("link", { name: team.project.name })).toBeVisible();
      await look("the projects");
      await pick(page, team.project);
      await look("the board");
      await page.getByRole("button", { name: "New ticket", exact: true }).click();
      await look("the form of a new ticket");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: /^Notifications/ }).click();
      await look("the notifications");
      await page.keyboard.press("Escape");
      await page.getByRole("link", { name: /Customers can't log in/ }).click();
      await expect(page.getByText("It happens with the new tokens only.")).toBeVisible();
      await look("a ticket");
      await page.goto("/#/chat");
      await expect(page.getByRole("link", { name: /Bob/ })).toBeVisible();
      await look("the rooms and conversations");
      await page.goto(`/#/chat/${conversation}`);
      await expect(page.getByRole("log").getByText("That is what I like to hear")).toBeVisible();
      await look("a conversation");
      await page.goto(`/#/chat/rooms/${unique("room")}`);
      await expect(page.getByText("Say something.")).toBeVisible();
      await look("a room");
      await page.goto(`/#/documents/${unique("text")}`);
      await expect(page.getByRole("textbox", { name: /^Text / })).toBeVisible();
      await look("a text");
      await page.goto("/#/counter");
      await expect(page.getByLabel("Total")).not.toHaveText("–");
      await look("the counter");
      const boss = await visit({ username: "admin" }, { colorScheme, viewport, reducedMotion: "reduce" });
      await boss.goto("/#/system");
      await expect(boss.getByText("Everything works")).toBeVisible();
      await isAccessible(boss, "the system");
      await isWithinTheScreen(boss, "the system");
      await boss.getByRole("button", { name: "Connections" }).click();
      await expect(boss.getByRole("table")).toBeVisible();
      await isAccessible(boss, "the connections");
      await isWithinTheScreen(boss, "the connections");
    });
  }
}

test("the page can be made dark, and stays so", async ({ visit, team }) => {
  const page = await visit(team.alice, { colorScheme: "light" });
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await ground();
  await page.getByRole("button", { name: "Switch to dark mode" }).click();
  const dark = await ground();
  expect(dark).not.toBe(light);
  await page.reload();
  await expect(page.getByRole("button", { name: "Switch to light mode" })).toBeVisible();
  expect(await ground()).toBe(dark);
});
