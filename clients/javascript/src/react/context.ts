import { createContext, createElement, type ReactNode, useContext, useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import { identity } from "../identity.js";
import type { ConnectionOptions, Id, TokenSource } from "../index.js";
import { ACCESS_TOKEN, accessToken, onAccessToken } from "./access_token.js";
import { ProjectStore } from "./project_store.js";
import { type Dialect, Tier } from "./tier.js";
import type { ShowToast } from "./toast.js";

export interface WebSocketProviderProps {
  children?: ReactNode;
  /** Where Carillon is. Default: where the page is from. */
  url?: string;
  /** Default: `localStorage.access_token`, as document 3 has it; null: nobody is logged in. */
  token?: TokenSource | null;
  /** Which frames `/ws/notifications/` speaks in. Default: `ticketing`. */
  dialect?: Dialect;
  /** What shows a toast for each new notification; false: nothing. Default: `showToast`. */
  toast?: ShowToast | false;
  /** Gets document 3's log lines; false: nobody. Default: `console.log`. */
  log?: ConnectionOptions["log"] | false;
  /** The project that was selected: its tickets and presence are connected. */
  project?: Id | null;
  /** Everything else about connections. */
  connection?: Omit<ConnectionOptions, "url" | "token" | "log">;
}

/** What components below a provider have in common. */
export interface Shared {
  /** undefined: nobody is logged in. */
  tier: Tier | undefined;
  projects: ProjectStore;
}

const Context = createContext<Shared | undefined>(undefined);

const toConsole = (line: string, ...details: unknown[]) => console.log(line, ...details);

/** Gives the hooks below it their sockets. */
export function WebSocketProvider({ children, project, ...props }: WebSocketProviderProps): ReactNode {
  const shared = useShared(props);
  useEffect(() => shared.projects.retain(), [shared]);
  useEffect(() => {
    if (project === undefined) return;
    shared.projects.select(project);
  }, [shared, project]);
  return createElement(Context.Provider, { value: shared }, children);
}

function useShared({ url, token, dialect, toast, log, connection }: Omit<WebSocketProviderProps, "children" | "project">): Shared {
  const stored = useSyncExternalStore(token === undefined ? onAccessToken : never, accessToken, () => null);
  const source = token === undefined ? (stored ? () => accessToken() : null) : token;
  const who = typeof token === "function" ? "callback" : identity(token === undefined ? stored : token);
  // What is told anew at each rendering is looked up when it is needed, and is no reason to connect anew.
  const latest = useLatest({ source, toast, log, connection });
  return useMemo(() => makeShared(who === undefined ? undefined : { url, dialect }, latest), [who, url, dialect, latest]);
}

interface Latest {
  source: TokenSource | null;
  toast: ShowToast | false | undefined;
  log: ConnectionOptions["log"] | false | undefined;
  connection: WebSocketProviderProps["connection"];
}

function useLatest(value: Latest): { current: Latest } {
  const box = useRef(value);
  box.current = value;
  return box;
}

function never(): () => void {
  return () => {};
}

function makeShared(where: { url: string | undefined; dialect: Dialect | undefined } | undefined, latest: { current: Latest }): Shared {
  const { toast, log, connection } = latest.current;
  const tier =
    where &&
    new Tier({
      ...connection,
      ...(where.url !== undefined && { url: where.url }),
      ...(where.dialect && { dialect: where.dialect }),
      ...(log !== false && { log: log ?? toConsole }),
      ...(toast !== undefined && { toast: toast && shownBy(latest) }),
      token: (request) => {
        const { source } = latest.current;
        return typeof source === "function" ? source(request) : source;
      },
    });
  return { tier, projects: new ProjectStore(tier, log !== false ? (log ?? toConsole) : undefined) };
}

let alone: Shared | undefined;

/** What the provider above has; without one, what document 3 has: this page's host, and `localStorage.access_token`. */
export function useCarillon(): Shared {
  const shared = useContext(Context);
  if (shared) return shared;
  const tier = new Tier({ token: accessToken, log: toConsole });
  alone ??= { tier, projects: new ProjectStore(tier, toConsole) };
  return alone;
}

export { ACCESS_TOKEN };

function shownBy(latest: { current: Latest }): ShowToast {
  return (toast) => {
    const show = latest.current.toast;
    if (show) show(toast);
  };
}
