import { expect, live, logIn, open, pick, teamOf, test } from "./deployment/fixtures.ts";

// One cluster serves them all, one after the other: the last one takes a gateway away.
test.describe.configure({ mode: "serial" });

test("presence is one over two gateways", async ({ cluster, browser }) => {
  const team = await teamOf(await cluster.admin());
  const [first, second] = [await open(browser, cluster.gateways[0]), await open(browser, cluster.gateways[1])];
  await logIn(first, team.alice.username);
  await logIn(second, team.bob.username);
  await pick(first, team.project);
  await pick(second, team.project);
  for (const page of [first, second]) {
    const here = page.getByRole("list", { name: "Who is here" });
    await expect(here.getByRole("img")).toHaveCount(2);
    await expect(here.getByRole("img", { name: "Bob" })).toBeVisible();
  }
  await second.getByRole("button", { name: "New ticket", exact: true }).click();
  await second.getByLabel("Title").fill("Through the other gateway");
  await second.getByRole("button", { name: "Create" }).click();
  await first.getByRole("link", { name: /Through the other gateway/ }).click();
  await expect(second.getByRole("list", { name: "Looking at it" }).getByRole("img", { name: "Alice" })).toBeVisible();
  await first.context().close();
  const here = second.getByRole("list", { name: "Who is here" });
  await expect(here.getByRole("img", { name: "Alice" })).toBeHidden();
  await second.context().close();
});

test("a gateway is killed while somebody writes: the page says that it reconnects, and nothing is lost", async ({
  cluster,
  browser,
}) => {
  const team = await teamOf(await cluster.admin());
  const [victim, survivor] = cluster.ports;
  cluster.balancer.prefer(victim, survivor);
  const alice = await open(browser, cluster.url);
  await logIn(alice, team.alice.username);
  const bob = await open(browser, cluster.gateways[1]);
  await logIn(bob, team.bob.username);
  await pick(alice, team.project);
  await alice.getByRole("link", { name: "Chat" }).click();
  await alice.getByRole("button", { name: "New conversation" }).click();
  await alice.getByRole("checkbox", { name: /Bob/ }).check();
  await alice.getByRole("button", { name: "Begin" }).click();
  const field = alice.getByLabel("Message Bob");
  await live(alice);
  await field.fill("before");
  await alice.keyboard.press("Enter");
  const toast = bob.getByRole("region", { name: "News" }).getByRole("link");
  await toast.click();
  await expect(bob.getByRole("log").getByText("before")).toBeVisible();

  await field.pressSequentially("while it ");
  // Nobody takes connections for a moment: that is how long a page has to say so.
  cluster.balancer.prefer();
  cluster.kill(victim);
  await expect(alice.getByRole("status", { name: "Connection: Reconnecting…" })).toBeVisible();
  await expect(alice.getByText("What you write is kept")).toBeVisible();
  await field.pressSequentially("was away");
  await alice.keyboard.press("Enter");
  await expect(alice.getByRole("log").getByText("sending…")).toBeVisible();
  await bob.getByLabel("Message Alice").fill("meanwhile");
  await bob.keyboard.press("Enter");
  await expect(bob.getByRole("log").getByText("meanwhile")).toBeVisible();

  cluster.balancer.prefer(survivor);
  await live(alice);
  for (const page of [alice, bob]) {
    const log = page.getByRole("log");
    for (const text of ["before", "meanwhile", "while it was away"]) {
      await expect(log.getByText(text, { exact: true })).toHaveCount(1);
    }
    await expect(log.getByText("sending…")).toBeHidden();
  }
});
