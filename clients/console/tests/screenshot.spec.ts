import type { Person } from "./deployment/api.ts";
import { column, expect, live, logIn, open, pick, test } from "./deployment/fixtures.ts";
import { furnish } from "./deployment/furnish.ts";

// The picture that README.md shows: `make console-screenshot` says where it goes.
const PATH = process.env.CARILLON_SCREENSHOT;

test("the board, a ticket, and who is there, as README.md shows them", async ({ admin, browser, url }) => {
  // The demo's own users and project, which no other test touches, so that the picture is the same every time.
  const { items } = await admin.get<{ items: Person[] }>("/api/auth/users/?limit=2");
  const [demoAlice, demoBob] = items as [Person, Person];
  const project = { id: 1, key: "PROJ", name: "Demo project" };
  await furnish(admin, { alice: demoAlice, bob: demoBob, project });
  const bob = await open(browser, url);
  await logIn(bob, demoBob.username);
  await pick(bob, project);
  await bob.getByRole("link", { name: /Customers can't log in/ }).click();
  const alice = await open(browser, url, {
    viewport: { width: 1600, height: 900 },
    colorScheme: "light",
    reducedMotion: "reduce",
  });
  await logIn(alice, demoAlice.username);
  await pick(alice, project);
  await alice.getByRole("link", { name: /Customers can't log in/ }).click();
  await expect(alice.getByText("It happens with the new tokens only.")).toBeVisible();
  await expect(column(alice, "Done").getByRole("link")).toHaveCount(2);
  await bob.getByLabel("Write a comment").pressSequentially("I can");
  await expect(alice.getByText("Bob is typing…")).toBeVisible();
  await expect(alice.getByText("Bob is looking at this")).toBeVisible();
  await live(alice);
  const picture = await alice.screenshot({ ...(PATH && { path: PATH }), animations: "disabled", caret: "hide" });
  expect(picture.length).toBeGreaterThan(20_000);
  await bob.context().close();
  await alice.context().close();
});
