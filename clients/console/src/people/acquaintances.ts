import { useEffect } from "react";
import { request } from "../api/request.ts";
import type { Id, Named } from "../api/types.ts";
import { isAdmin, useMe } from "../session/use-session.ts";
import { meet } from "./directory.ts";

/** Finds out whom one may know: the members of one's projects, and for an admin everyone. */
export function useAcquaintances(): void {
  const everyone = isAdmin(useMe());
  useEffect(() => {
    const found = everyone ? users() : members();
    // Without them there are still those who turn up.
    void found.then((people) => meet(...people), console.warn);
  }, [everyone]);
}

async function users(): Promise<readonly Named[]> {
  return (await request<{ items: Named[] }>("GET", "/api/auth/users/?limit=200")).items;
}

async function members(): Promise<readonly Named[]> {
  const { projects } = await request<{ projects: { id: Id }[] }>("GET", "/api/projects/?limit=20");
  const pages = projects.map(({ id }) =>
    request<{ members: Named[] }>("GET", `/api/projects/${encodeURIComponent(id)}/members/`),
  );
  return (await Promise.all(pages)).flatMap(({ members }) => members);
}
