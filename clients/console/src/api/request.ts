import { session } from "../session/session.ts";

/** Why a request was refused (RFC 9457), or that nobody answered (`status` 0). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly body: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail);
  }
}

/** What an error says to whoever looks at the page. */
export function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** How often a request is repeated that got no answer, or that a service away could not answer. */
const ATTEMPTS = 6;
const LONGEST_WAIT = 3_000;

/** Statuses of whoever is away for the moment. */
const AWAY = new Set([0, 502, 503, 504]);

interface Options {
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** A text that nobody else has. `crypto.randomUUID` is there on secure pages only. */
export function unique(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Asks the API as whoever is logged in. What gets no answer is asked again: a change under the same key, so that it
 * is made once however often it arrives.
 */
export async function request<Answer>(method: string, path: string, options: Options = {}): Promise<Answer> {
  const key = method === "GET" ? undefined : unique();
  let renewed = false;
  for (let attempt = 1; ; attempt += 1) {
    const token = await session.token({ reason: "connect" });
    const outcome = await once<Answer>(method, path, token, key, options);
    if (!(outcome instanceof Problem)) return outcome.answer;
    if (outcome.status === 401 && !renewed && (await session.token({ reason: "refused", ...(token && { token }) }))) {
      renewed = true;
    } else if (AWAY.has(outcome.status) && attempt < ATTEMPTS) {
      await pause(Math.min(LONGEST_WAIT, 250 * 2 ** attempt), options.signal);
    } else {
      throw outcome;
    }
  }
}

async function once<Answer>(
  method: string,
  path: string,
  token: string | undefined,
  key: string | undefined,
  { body, signal }: Options,
): Promise<{ answer: Answer } | Problem> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  if (key) headers["idempotency-key"] = key;
  if (body !== undefined) headers["content-type"] = "application/json";
  const init: RequestInit = { method, headers, ...(signal && { signal }) };
  if (body !== undefined) init.body = JSON.stringify(body);
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, init);
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    return new Problem(0, "Carillon can't be reached.");
  }
  const value = parsed(text);
  if (response.ok) return { answer: value as Answer };
  const problem = (value ?? {}) as Record<string, unknown>;
  return new Problem(response.status, String(problem.detail ?? problem.message ?? response.statusText), problem);
}

function parsed(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
