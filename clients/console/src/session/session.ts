import type { Me } from "../api/types.ts";

/** Where document 3 has people look for their token. */
const ACCESS = "access_token";
const REFRESH = "refresh_token";

/** A token that ends sooner is not worth connecting with, in seconds. */
const TOO_SHORT = 60;

export interface SessionState {
  /** `unknown` until the tokens that were kept have been tried. */
  readonly status: "unknown" | "out" | "in";
  readonly me?: Me;
  /** Why nobody is logged in any more. */
  readonly notice?: string;
}

interface Asked {
  readonly reason: "connect" | "expiring" | "refused";
  readonly token?: string;
}

/** Who is logged in, in every tab of this browser. */
class Session {
  #state: SessionState = { status: localStorage.getItem(ACCESS) ? "unknown" : "out" };
  readonly #listeners = new Set<() => void>();
  #renewing: Promise<string | undefined> | undefined;

  constructor() {
    addEventListener("storage", (event) => {
      if (event.key === ACCESS && event.newValue === null) this.#enter({ status: "out" });
      if (event.key === ACCESS && event.newValue !== null && this.#state.status === "out") void this.resume();
    });
  }

  get state(): SessionState {
    return this.#state;
  }

  listen = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** @throws if name and password are not those of a user. */
  async logIn(username: string, password: string): Promise<void> {
    const response = await post("/api/auth/token/", { username, password });
    const body = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(response.status === 401 ? "Name or password is wrong." : body.detail);
    localStorage.setItem(ACCESS, body.access);
    localStorage.setItem(REFRESH, body.refresh);
    await this.resume();
  }

  /** Finds out whose tokens were kept. */
  async resume(): Promise<void> {
    const token = await this.token({ reason: "connect" });
    if (!token) return this.#end();
    const response = await fetch("/api/auth/me/", { headers: { authorization: `Bearer ${token}` } });
    if (response.ok) return this.#enter({ status: "in", me: await response.json() });
    if (response.status === 401 && (await this.token({ reason: "refused", token }))) return this.resume();
    if (response.status === 401) return this.#end("Please log in again.");
    throw new Error(`Carillon answered ${response.status}.`);
  }

  async logOut(): Promise<void> {
    const [access, refresh] = [localStorage.getItem(ACCESS), localStorage.getItem(REFRESH)];
    this.#end();
    // Gone from here whatever becomes of it there.
    await post("/api/auth/logout/", { refresh }, access).catch(() => undefined);
  }

  /** A token that lives for a while; another one than the one that was refused. */
  token = async (asked: Asked): Promise<string | undefined> => {
    const token = localStorage.getItem(ACCESS) ?? undefined;
    const isStale = asked.reason === "refused" && asked.token === token;
    if (token && !isStale && asked.reason !== "expiring" && secondsLeft(token) > TOO_SHORT) return token;
    if (!token) return undefined;
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  };

  async #renew(): Promise<string | undefined> {
    const response = await post("/api/auth/token/refresh/", { refresh: localStorage.getItem(REFRESH) });
    if (response.ok) {
      const { access } = await response.json();
      localStorage.setItem(ACCESS, access);
      return access;
    }
    if (response.status >= 500) throw new Error("the token can't be renewed now");
    this.#end("Your login has ended. Please log in again.");
    return undefined;
  }

  #end(notice?: string): void {
    localStorage.removeItem(ACCESS);
    localStorage.removeItem(REFRESH);
    this.#enter({ status: "out", ...(notice && { notice }) });
  }

  #enter(state: SessionState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

function post(path: string, body: unknown, token?: string | null): Promise<Response> {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  return fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
}

/** What is left of a token; plenty of one that can't be read here: the server knows better. */
function secondsLeft(token: string): number {
  try {
    const payload = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(atob(payload)).exp - Date.now() / 1000;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

export const session = new Session();
