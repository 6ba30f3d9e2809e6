import { column, expect, live, pick, test } from "./deployment/fixtures.ts";

test("S3-06: two browsers log in, pick a project, and see each other", async ({ visit, team }) => {
  const [alice, bob] = [await visit(team.alice), await visit(team.bob)];
  await pick(alice, team.project);
  await pick(bob, team.project);
  for (const page of [alice, bob]) {
    const here = page.getByRole("list", { name: "Who is here" });
    await expect(here.getByRole("img", { name: "Alice" })).toBeVisible();
    await expect(here.getByRole("img", { name: "Bob" })).toBeVisible();
  }
  await bob.getByRole("button", { name: "Log out" }).click();
  await expect(bob.getByRole("button", { name: "Log in" })).toBeVisible();
  await expect(alice.getByRole("list", { name: "Who is here" }).getByRole("img", { name: "Bob" })).toBeHidden();
});

test("a wrong password is told, and another browser's login is its own", async ({ visit, team, url, browser }) => {
  await visit(team.alice);
  const page = await (await browser.newContext({ baseURL: url })).newPage();
  await page.goto("/");
  await page.getByLabel("Username").fill(team.bob.username);
  await page.getByLabel("Password").fill("wrong password");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("alert")).toHaveText("Name or password is wrong.");
});

test("S3-07, test 1: whoever is assigned a ticket is told at once", async ({ visit, team }) => {
  const [alice, bob] = [await visit(team.alice), await visit(team.bob)];
  await pick(alice, team.project);
  await live(bob);
  await alice.getByRole("button", { name: "New ticket", exact: true }).click();
  await alice.getByLabel("Title").fill("Fix login bug");
  await alice.getByLabel("Assignee").selectOption({ label: "Bob" });
  await alice.getByRole("button", { name: "Create" }).click();

  const toast = bob.getByRole("region", { name: "News" }).getByRole("link");
  await expect(toast).toContainText("Ticket Assigned");
  await expect(toast).toContainText(`You were assigned to ${team.project.key}-1: Fix login bug`);
  await expect(bob.getByRole("button", { name: "Notifications, 1 unread" })).toBeVisible();
  await toast.click();
  await expect(bob.getByRole("textbox", { name: "Title" })).toHaveValue("Fix login bug");

  await bob.getByRole("button", { name: "Notifications, 1 unread" }).click();
  await bob.getByRole("button", { name: "Mark all read" }).click();
  await expect(bob.getByRole("button", { name: "Notifications", exact: true })).toBeVisible();
});

test("S3-07, test 2: a new ticket is in the other tab at once, and so is whatever becomes of it", async ({
  visit,
  team,
}) => {
  const one = await visit(team.alice);
  await pick(one, team.project);
  const other = await one.context().newPage();
  await other.goto(`/#/projects/${team.project.id}`);
  await live(other);

  await one.getByRole("button", { name: "New ticket in Open" }).click();
  await one.getByLabel("Title").fill("Invoices are rounded twice");
  await one.getByLabel("Priority").selectOption("urgent");
  await one.getByRole("button", { name: "Create" }).click();
  const card = column(other, "Open").getByRole("link", { name: /Invoices are rounded twice/ });
  await expect(card).toBeVisible();

  await other.getByRole("link", { name: /Invoices are rounded twice/ }).dragTo(column(other, "In Review"));
  await expect(column(one, "In Review").getByRole("link", { name: /Invoices are rounded twice/ })).toBeVisible();

  await column(one, "In Review")
    .getByRole("link", { name: /Invoices/ })
    .click();
  await one.getByRole("textbox", { name: "Title" }).fill("Invoices are rounded once too often");
  await one.getByRole("textbox", { name: "Title" }).press("Enter");
  await expect(one.getByText("Saved")).toBeVisible();
  await expect(column(other, "In Review").getByRole("link", { name: /rounded once too often/ })).toBeVisible();

  await one.getByRole("button", { name: "Delete ticket" }).click();
  await one.getByRole("button", { name: `Delete ${team.project.key}-1` }).click();
  await expect(other.getByRole("link", { name: /rounded once too often/ })).toBeHidden();
});

test("S3-07, test 3: the browser's console and network show the connections", async ({ visit, team, browser, url }) => {
  const context = await browser.newContext({ baseURL: url });
  const page = await context.newPage();
  const lines: string[] = [];
  const sockets: string[] = [];
  page.on("console", (message) => lines.push(message.text()));
  page.on("websocket", (socket) => sockets.push(new URL(socket.url()).pathname));
  await page.goto("/");
  await page.getByLabel("Username").fill(team.alice.username);
  await page.getByLabel("Password").fill("carillon");
  await page.getByRole("button", { name: "Log in" }).click();
  await pick(page, team.project);
  await visit(team.bob);
  const line = (start: string) => expect.poll(() => lines.some((line) => line.startsWith(start)), start).toBe(true);
  await line("🔌 [WebSocket] Connecting to ws/notifications/");
  await line("🔌 [WebSocket] Connected to ws/notifications/");
  await line(`🔌 [MainLayout] Connecting to WebSocket channels for project: ${team.project.id}`);
  await expect
    .poll(() => lines.find((line) => /Received:.*connection_established/.test(line)))
    .toMatch(/^✅ \[WebSocket\]/);
  const { id } = team.project;
  for (const path of ["/ws/notifications/", `/ws/projects/${id}/tickets/`, `/ws/projects/${id}/presence/`]) {
    expect(sockets).toContain(path);
  }
});

/** As document 3 has it, but for the host, and for its last line, which is only said once there is a connection. */
function document3(host: string): string {
  return `
    const token = localStorage.getItem("access_token");
    console.log("Token:", token);
    const ws = new WebSocket(\`ws://${host}/ws/notifications/?token=\${token}\`);
    ws.onopen = () => {
      console.log("✅ Connected to notifications!");
      ws.send(JSON.stringify({ type: "ping", timestamp: Date.now() }));
    };
    ws.onmessage = (event) => console.log("📨 Message received:", JSON.stringify(JSON.parse(event.data)));
    ws.onerror = (error) => console.error("❌ WebSocket error:", error);
    ws.onclose = (event) => console.log("🔌 Connection closed:", event.code);
  `;
}

test("S3-07, test 4: what document 3 has one paste into the console works there", async ({ visit, team, url }) => {
  const page = await visit(team.alice);
  const { host, port } = new URL(url);
  for (const address of [host, `localhost:${port}`]) {
    const pong = page.waitForEvent("console", (message) =>
      /^📨 Message received: .*"type":"pong"/.test(message.text()),
    );
    const connected = page.waitForEvent("console", (message) => message.text() === "✅ Connected to notifications!");
    await page.evaluate(`{${document3(address)}}`);
    await connected;
    await pong;
  }
});

test("comments, and who looks at a ticket and writes there", async ({ visit, team, admin }) => {
  const api = await admin.logIn(team.alice.username);
  await api.post(`/api/projects/${team.project.id}/tickets/`, { title: "Search is slow" });
  const [alice, bob] = [await visit(team.alice), await visit(team.bob)];
  for (const page of [alice, bob]) {
    await pick(page, team.project);
    await page.getByRole("link", { name: /Search is slow/ }).click();
  }
  await expect(alice.getByText("Bob is looking at this")).toBeVisible();
  await bob.getByLabel("Write a comment").pressSequentially("It needs an index");
  await expect(alice.getByText("Bob is typing…")).toBeVisible();
  await bob.getByRole("button", { name: "Comment", exact: true }).click();
  const comments = alice.getByRole("region", { name: "Comments" });
  await expect(comments.getByText("It needs an index")).toBeVisible();
  await expect(alice.getByText("Bob is typing…")).toBeHidden();
  await expect(column(alice, "Open").getByText("1 comment")).toBeAttached();
  await bob.getByRole("button", { name: "Close ticket" }).click();
  await expect(alice.getByText("Bob is looking at this")).toBeHidden();
});

test("a text that somebody has changed meanwhile is not written over unseen", async ({ visit, team, admin }) => {
  const api = await admin.logIn(team.bob.username);
  const tickets = `/api/projects/${team.project.id}/tickets/`;
  await api.post(tickets, { title: "Two gateways", description: "old" });
  const page = await visit(team.alice);
  await pick(page, team.project);
  await page.getByRole("link", { name: /Two gateways/ }).click();
  const bob = await visit(team.bob);
  await pick(bob, team.project);
  await bob.getByRole("link", { name: /Two gateways/ }).click();
  await page.getByRole("textbox", { name: "Description" }).fill("mine");
  await bob.getByRole("textbox", { name: "Description" }).fill("theirs");
  await bob.getByRole("textbox", { name: "Title" }).focus();
  await expect(bob.getByText("Saved")).toBeVisible();
  await page.getByRole("textbox", { name: "Title" }).focus();
  await expect(page.getByText("Somebody changed this meanwhile")).toBeVisible();
  await expect(page.getByRole("textbox", { name: "Description" })).toHaveValue("theirs");
});
