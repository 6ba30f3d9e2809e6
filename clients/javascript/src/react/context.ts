import { createContext, createElement, type ReactNode, useContext, useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import { identity } from "../identity.js";
import type { ConnectionOptions, Id, TokenSource } from "../index.js";
import { accessToken, onAccessToken } from "./access_token.js";
import { ProjectStore } from "./project_store.js";
import { type Dialect, Tier } from "./tier.js";
import { type ShowToast, showToast } from "./toast.js";

export interface WebSocketProviderProps {
  children?: ReactNode;
  /** Where Carillon is. Default: where the page is from. */
  url?: string;
  /** Default: `localStorage.access_token`, as document 3 has it; null: nobody is logged in. */
  token?: TokenSource | null;
  /** Whether to connect though nobody is logged in, where the deployment allows that. Default: false. */
  anonymous?: boolean;
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

type Settings = Omit<WebSocketProviderProps, "children" | "project">;

const Context = createContext<Shared | undefined>(undefined);

/** Gives the hooks below it their sockets. */
export function WebSocketProvider({ children, project = null, ...settings }: WebSocketProviderProps): ReactNode {
  const { who, latest } = useIdentity(settings, true);
  const { url, dialect } = settings;
  const shared = useMemo(() => makeShared(who, url, dialect, latest), [who, url, dialect, latest]);
  useEffect(() => shared.projects.retain(), [shared]);
  useEffect(() => shared.projects.select(project), [shared, project]);
  return createElement(Context.Provider, { value: shared }, children);
}

/** What the provider above has; without one, what document 3 has: this page's host, and `localStorage.access_token`. */
export function useCarillon(): Shared {
  const provided = useContext(Context);
  const { who, latest } = useIdentity({}, provided === undefined);
  const shared = provided ?? alone(who, latest);
  useEffect(() => (provided ? undefined : shared.projects.retain()), [provided, shared]);
  return shared;
}

interface Identity {
  /** undefined: nobody is logged in. */
  who: string | undefined;
  /** What may be told anew at each rendering is looked up when it is needed, and is no reason to connect anew. */
  latest: { readonly current: Settings };
}

/** Who is logged in, by the token that was given or by the one in the page's storage, if anybody looks there. */
function useIdentity(settings: Settings, looks: boolean): Identity {
  const { token, anonymous } = settings;
  const stored = useSyncExternalStore(looks && token === undefined ? onAccessToken : never, accessToken, nobody);
  const latest = useRef(settings);
  latest.current = settings;
  const who = typeof token === "function" ? "callback" : identity(token === undefined ? stored : token);
  return { who: who ?? (anonymous ? "anybody" : undefined), latest };
}

const never = () => () => {};
const nobody = () => null;

function makeShared(who: string | undefined, url: string | undefined, dialect: Dialect | undefined, latest: Identity["latest"]): Shared {
  const log = (line: string, ...details: unknown[]) => {
    const { log = console.log } = latest.current;
    if (log) log(line, ...details);
  };
  if (who === undefined) return { tier: undefined, projects: new ProjectStore(undefined, log) };
  const tier = new Tier({
    ...latest.current.connection,
    ...(url !== undefined && { url }),
    ...(dialect && { dialect }),
    log,
    toast: (shown) => {
      const { toast = showToast } = latest.current;
      if (toast) toast(shown);
    },
    token: (request) => {
      const { token = accessToken() } = latest.current;
      return typeof token === "function" ? token(request) : token;
    },
  });
  return { tier, projects: new ProjectStore(tier, log) };
}

let last: { who: string | undefined; shared: Shared } | undefined;

/** For all components of a page without a provider. */
function alone(who: string | undefined, latest: Identity["latest"]): Shared {
  if (!last || last.who !== who) last = { who, shared: makeShared(who, undefined, undefined, latest) };
  return last.shared;
}
