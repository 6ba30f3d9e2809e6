import { PASSWORD } from "./deployment/api.ts";
import { column, expect, live, test } from "./deployment/fixtures.ts";

test("a ticket is created, found, moved and opened by keyboard alone", async ({ team, browser, url }) => {
  const context = await browser.newContext({ baseURL: url });
  const page = await context.newPage();
  await page.goto("/");
  const { keyboard } = page;
  // The form has the focus.
  await expect(page.getByLabel("Username")).toBeFocused();
  await keyboard.type(team.alice.username);
  await keyboard.press("Tab");
  await keyboard.type(PASSWORD);
  await keyboard.press("Enter");
  const project = page.getByRole("link", { name: team.project.name });
  await expect(project).toBeVisible();
  await tabTo(page, () => project.evaluate((element) => element === document.activeElement));
  await keyboard.press("Enter");
  await live(page);
  await expect(column(page, "Open")).toBeVisible();

  await keyboard.press("n");
  await expect(page.getByLabel("Title")).toBeFocused();
  await keyboard.type("Written without a mouse");
  await keyboard.press("Enter");
  const card = page.getByRole("link", { name: /Written without a mouse/ });
  await expect(column(page, "Open").getByRole("link", { name: /Written without a mouse/ })).toBeVisible();
  await expect(page.getByRole("status", { name: "What has changed" })).toHaveText(`${team.project.key}-1 was created`);

  await tabTo(page, () => card.evaluate((element) => element === document.activeElement));
  await keyboard.press("Shift+ArrowRight");
  await expect(column(page, "In Progress").getByRole("link", { name: /Written without a mouse/ })).toBeVisible();
  await expect(page.getByRole("status", { name: "What has changed" })).toHaveText(
    `${team.project.key}-1 moved to In Progress`,
  );
  await expect(card).toBeFocused();

  await keyboard.press("Enter");
  await expect(page.getByRole("textbox", { name: "Title" })).toHaveValue("Written without a mouse");
  await keyboard.press("Escape");
  await expect(page.getByRole("textbox", { name: "Title" })).toBeHidden();
  await expect(card).toBeFocused();

  await keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard" })).toBeVisible();
  await keyboard.press("Escape");
  await expect(page.getByRole("dialog", { name: "Keyboard" })).toBeHidden();
});

/** Goes on with Tab until something has the focus, as far as a page of this size can take. */
async function tabTo(page: { keyboard: { press(key: string): Promise<void> } }, isThere: () => Promise<boolean>) {
  for (let presses = 0; presses < 60; presses += 1) {
    if (await isThere()) return;
    await page.keyboard.press("Tab");
  }
  throw new Error("Tab does not lead there");
}
