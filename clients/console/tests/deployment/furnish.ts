import type { Api } from "./api.ts";
import type { Team } from "./fixtures.ts";

/** What there is to do in the project: title, priority, assignee, status, labels, due date. */
const TICKETS = [
  ["Customers can't log in with an expired password", "high", "bob", 1, ["auth", "web"], "2031-12-01"],
  ["Show who is typing in the mobile app", "medium", "alice", 2, ["mobile"], null],
  ["Invoices are rounded twice", "urgent", "bob", 2, ["billing"], "2031-11-25"],
  ["Attachments: a preview for pictures", "low", null, 1, ["chat"], null],
  ["Write down how to move from Channels", "medium", "alice", 3, ["docs"], "2031-11-28"],
  ["Search is slow for long titles", "high", "alice", 1, [], null],
  ["Dark mode for the settings page", "low", "bob", 4, ["web"], null],
  ["Two gateways in every region", "medium", null, 3, ["infra"], null],
  ["The counter in the footer is off by one", "medium", "bob", 4, [], null],
] as const;

const TALK = [
  ["alice", "Morning! Did the deployment go through?"],
  ["bob", "It did. Both gateways are on the new version, nobody was away for longer than a second."],
  ["alice", "That is what I like to hear 🎉"],
  ["bob", "I'll close the tickets that were waiting for it."],
] as const;

/** Fills a team's project and a conversation with something to look at. The conversation's id. */
export async function furnish(admin: Api, { alice, bob, project }: Team): Promise<number> {
  const [asAlice, asBob] = [await admin.logIn(alice.username), await admin.logIn(bob.username)];
  const tickets = `/api/projects/${project.id}/tickets/`;
  const { statuses } = await asAlice.get<{ statuses: { id: number }[] }>(`/api/projects/${project.id}/statuses/`);
  for (const [title, priority, who, column, labels, due_date] of TICKETS) {
    const assignee = who === null ? null : { alice, bob }[who].id;
    const status = statuses[column - 1]?.id;
    const description = "Seen on the staging system since Tuesday.\n\n1. Log in\n2. Wait for a minute\n3. Look again";
    const by = who === "alice" ? asBob : asAlice;
    const body = {
      title,
      priority,
      status,
      labels,
      description,
      ...(assignee && { assignee }),
      ...(due_date && { due_date }),
    };
    const { ticket_id } = await by.post<{ ticket_id: number }>(tickets, body);
    if (title !== TICKETS[0][0]) continue;
    await asBob.post(`${tickets}${ticket_id}/comments/`, { message: "It happens with the new tokens only." });
    await asAlice.post(`${tickets}${ticket_id}/comments/`, { message: "Then it is the clock. I'll have a look." });
  }
  const { id } = await asAlice.post<{ id: number }>("/api/chat/conversations/", { participants: [bob.id] });
  const scopes = { name: "furnishing", scopes: ["chat:send"] };
  const { token } = await admin.post<{ token: string }>("/api/auth/service-tokens/", scopes);
  const backEnd = new (admin.constructor as typeof Api)(admin.base, token);
  for (const [who, message] of TALK) {
    await backEnd.post(`/api/chat/conversations/${id}/messages/`, { message, user_id: { alice, bob }[who].id });
  }
  return id;
}
