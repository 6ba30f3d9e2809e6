import { expect, live, pick, test } from "./deployment/fixtures.ts";

test("admins see how the system does, and who is connected, and can end a connection", async ({ visit, team }) => {
  const admin = await visit({ username: "admin" });
  await admin.getByRole("link", { name: "System" }).click();
  await expect(admin.getByText("Everything works")).toBeVisible();
  for (const service of ["gateway", "auth", "notification", "chat", "ticket-presence", "metrics"]) {
    await expect(admin.getByRole("listitem").filter({ hasText: service }).first()).toBeVisible();
  }
  for (const chart of ["Connections", "Messages", "Traffic", "Latency"]) {
    await expect(admin.getByRole("figure", { name: chart }).getByRole("img")).toBeVisible();
  }

  const bob = await visit(team.bob);
  await pick(bob, team.project);
  await admin.getByRole("button", { name: "Connections" }).click();
  await admin.getByLabel("Filter connections").fill(team.bob.username);
  await expect(admin.getByRole("row", { name: new RegExp(team.bob.username) })).toHaveCount(3);
  const closed = bob.waitForEvent("console", (message) =>
    /Disconnected from ws\/notifications\/ 4102/.test(message.text()),
  );
  await admin.getByRole("button", { name: `Disconnect ${team.bob.username} from notifications` }).click();
  await admin.getByRole("button", { name: `Really disconnect ${team.bob.username} from notifications` }).click();
  await closed;
  await expect(admin.getByText(`${team.bob.username} may come back.`)).toBeVisible();
  await live(bob);
});

test("nobody else has that page", async ({ visit, team }) => {
  const alice = await visit(team.alice);
  await expect(alice.getByRole("link", { name: "System" })).toBeHidden();
  await alice.goto("/#/system");
  await expect(alice.getByText("For admins")).toBeVisible();
});
