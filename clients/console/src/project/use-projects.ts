import { useCallback, useEffect, useState } from "react";
import { request, said } from "../api/request.ts";
import type { Project } from "../api/types.ts";
import { isAdmin, useMe } from "../session/use-session.ts";

export interface Projects {
  readonly projects: readonly Project[] | undefined;
  readonly failure: string | undefined;
  reload(): void;
}

/** The projects that can be picked: one's own, and for an admin all. */
export function useProjects(): Projects {
  const everywhere = isAdmin(useMe());
  const [projects, setProjects] = useState<readonly Project[]>();
  const [failure, setFailure] = useState<string>();
  const load = useCallback(async () => {
    setFailure(undefined);
    try {
      setProjects(everywhere ? await all() : await mine());
    } catch (error) {
      setFailure(said(error));
    }
  }, [everywhere]);
  useEffect(() => void load(), [load]);
  return { projects, failure, reload: () => void load() };
}

async function all(): Promise<readonly Project[]> {
  const { items } = await request<{ items: Project[] }>("GET", "/api/auth/projects/?limit=200");
  return items;
}

async function mine(): Promise<readonly Project[]> {
  const { projects } = await request<{ projects: Project[] }>("GET", "/api/projects/?limit=100");
  return projects;
}
