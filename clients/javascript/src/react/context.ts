import { createContext, createElement, type ReactNode, useContext, useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import { identity } from "../identity.js";
import type { ConnectionOptions, Id, TokenSource } from "../index.js";
import { accessToken, onAccessToken } from "./access_token.js";
import { ProjectStore } from "./project_store.js";
import { type Dialect, Tier, type TierOptions } from "./tier.js";
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
  /** With which sockets are made; an address with a token of its own needs nobody who is logged in. */
  options: TierOptions;
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
  const options = useMemo(() => tierOptions(url, dialect, latest), [url, dialect, latest]);
  const projects = useMemo(() => new ProjectStore(options.log), [options]);
  const shared = useMemo(() => makeShared(who, options, projects), [who, options, projects]);
  useProjects(shared);
  useEffect(() => projects.select(project), [projects, project]);
  return createElement(Context.Provider, { value: shared }, children);
}

/** What the provider above has; without one, what document 3 has: this page's host, and `localStorage.access_token`. */
export function useCarillon(): Shared {
  const provided = useContext(Context);
  const { who, latest } = useIdentity({}, provided === undefined);
  const shared = provided ?? alone(who, latest);
  useProjects(shared);
  return shared;
}

/** A project's channels follow whoever logs in, and go with the last component. */
function useProjects({ projects, tier }: Shared): void {
  useEffect(() => projects.retain(), [projects]);
  useEffect(() => projects.follow(tier), [projects, tier]);
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

function tierOptions(url: string | undefined, dialect: Dialect | undefined, latest: Identity["latest"]): TierOptions {
  return {
    ...latest.current.connection,
    ...(url !== undefined && { url }),
    ...(dialect && { dialect }),
    log: (line, ...details) => {
      const { log = console.log } = latest.current;
      if (log) log(line, ...details);
    },
    toast: (shown) => {
      const { toast = showToast } = latest.current;
      if (toast) toast(shown);
    },
    token: (request) => {
      const { token = accessToken() } = latest.current;
      return typeof token === "function" ? token(request) : token;
    },
  };
}

/** `who` is named so that another one gets sockets of their own. */
function makeShared(who: string | undefined, options: TierOptions, projects: ProjectStore): Shared {
  return { options, tier: who === undefined ? undefined : new Tier(options), projects };
}

let last: { who: string | undefined; shared: Shared } | undefined;

/** For all components of a page without a provider. */
function alone(who: string | undefined, latest: Identity["latest"]): Shared {
  if (last?.who === who && last) return last.shared;
  const options = last?.shared.options ?? tierOptions(undefined, undefined, latest);
  const projects = last?.shared.projects ?? new ProjectStore(options.log);
  last = { who, shared: makeShared(who, options, projects) };
  return last.shared;
}
