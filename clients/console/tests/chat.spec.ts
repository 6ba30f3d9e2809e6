import type { Page } from "@playwright/test";
import { unique } from "./deployment/api.ts";
import { expect, live, pick, test } from "./deployment/fixtures.ts";

function say(page: Page, text: string) {
  return page
    .getByLabel(/^Message /)
    .fill(text)
    .then(() => page.keyboard.press("Enter"));
}

test("people talk: typing, receipts, reactions, replies, edits, deletions and files", async ({ visit, team }) => {
  const [alice, bob] = [await visit(team.alice), await visit(team.bob)];
  await pick(alice, team.project);
  await alice.getByRole("link", { name: "Chat" }).click();
  await alice.getByRole("button", { name: "New conversation" }).click();
  await alice.getByRole("checkbox", { name: /Bob/ }).check();
  await alice.getByRole("button", { name: "Begin" }).click();
  await say(alice, "Did it go through?");
  await expect(alice.getByRole("log").getByText("Did it go through?")).toBeVisible();

  // Bob is told, and what he reads is seen to be read.
  const toast = bob.getByRole("region", { name: "News" }).getByRole("link");
  await expect(toast).toContainText("New Message");
  await toast.click();
  await expect(bob.getByRole("log").getByText("Did it go through?")).toBeVisible();
  await expect(alice.getByText("Seen by Bob")).toBeAttached();
  await expect(alice.getByText("online", { exact: true })).toBeVisible();

  await bob.getByLabel(/^Message /).pressSequentially("It did");
  await expect(alice.getByText("Bob is typing…")).toBeVisible();
  await bob.keyboard.press("Enter");
  await expect(alice.getByRole("log").getByText("It did")).toBeVisible();
  await expect(alice.getByText("Bob is typing…")).toBeHidden();

  const message = (page: Page, text: string) => page.getByRole("article", { name: text });
  await message(alice, "Bob: It did").hover();
  await message(alice, "Bob: It did").getByRole("button", { name: "React", exact: true }).click();
  await message(alice, "Bob: It did").getByRole("button", { name: "React with 🎉" }).click();
  await expect(message(bob, "Bob: It did").getByRole("button", { name: "🎉 1" })).toBeVisible();

  await message(alice, "Bob: It did").getByRole("button", { name: "Reply" }).click();
  await say(alice, "Splendid");
  await expect(message(bob, "Alice: Splendid").getByText("It did")).toBeVisible();

  await message(alice, "Alice: Splendid").hover();
  await message(alice, "Alice: Splendid").getByRole("button", { name: "Edit" }).click();
  await alice.getByLabel("Edit the message").fill("Wonderful");
  await alice.getByRole("button", { name: "Save" }).click();
  await expect(message(bob, "Alice: Wonderful").getByText("(edited)")).toBeVisible();

  await message(alice, "Alice: Wonderful").hover();
  await message(alice, "Alice: Wonderful").getByRole("button", { name: "Delete" }).click();
  await expect(bob.getByText("This message was deleted")).toBeVisible();

  const file = { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("what was decided\n") };
  await alice.getByLabel("Files", { exact: true }).setInputFiles(file);
  await expect(alice.getByRole("listitem").filter({ hasText: "notes.txt" })).toBeVisible();
  await say(alice, "The notes");
  const download = bob.waitForEvent("download");
  await bob.getByRole("button", { name: /notes\.txt/ }).click();
  expect((await download).suggestedFilename()).toBe("notes.txt");
});

test("what is said in a room is there for whoever comes later", async ({ visit, team }) => {
  const room = unique("room");
  const alice = await visit(team.alice);
  await alice.goto(`/#/chat/rooms/${room}`);
  await live(alice);
  await say(alice, "Is anybody here?");
  const bob = await visit(team.bob);
  await bob.goto("/#/chat");
  await bob.getByLabel("Enter another room").fill(room);
  await bob.keyboard.press("Enter");
  await expect(bob.getByRole("log").getByText("Is anybody here?")).toBeVisible();
  await say(bob, "I am");
  await expect(alice.getByRole("log").getByText("I am")).toBeVisible();
});

test("a text is written by two at once", async ({ visit, team }) => {
  const name = unique("text");
  const [alice, bob] = [await visit(team.alice), await visit(team.bob)];
  for (const page of [alice, bob]) await page.goto(`/#/documents/${name}`);
  const text = (page: Page) => page.getByRole("textbox", { name: `Text ${name}` });
  await text(alice).fill("Bells ring");
  await expect(text(bob)).toHaveValue("Bells ring");
  await text(bob).press("End");
  await text(bob).pressSequentially(" at noon");
  await text(alice).press("Home");
  await text(alice).pressSequentially("Big ");
  for (const page of [alice, bob]) await expect(text(page)).toHaveValue("Big Bells ring at noon");
  await expect(alice.getByText("One more person has this open")).toBeVisible();
  await bob.reload();
  await expect(text(bob)).toHaveValue("Big Bells ring at noon");
});

test("everyone counts on the same counter", async ({ visit, team }) => {
  const [alice, bob] = [await visit(team.alice), await visit(team.bob)];
  for (const page of [alice, bob]) await page.goto("/#/counter");
  const total = (page: Page) => page.getByLabel("Total");
  await expect(total(alice)).not.toHaveText("–");
  const before = Number((await total(alice).textContent())?.replaceAll(",", ""));
  await alice.getByRole("button", { name: "+10" }).click();
  await bob.getByRole("button", { name: "−1" }).click();
  for (const page of [alice, bob]) await expect(total(page)).toHaveText((before + 9).toLocaleString("en-GB"));
});
