/** Why a token is asked for. */
export interface TokenRequest {
  /** `connect`: for a new connection. `expiring`: the one in use ends soon. `refused`: the last one was not accepted. */
  readonly reason: "connect" | "expiring" | "refused";
  /** The last one that there was. */
  readonly token?: string;
}

type Given = string | null | undefined;

/** A token, or a callback that is asked for one whenever one is needed, such as a call of the token refresh endpoint. */
export type TokenSource = string | ((request: TokenRequest) => Given | Promise<Given>);

/** The token of a source. An anonymous client has none. */
export async function ask(source: TokenSource | undefined, request: TokenRequest): Promise<string | undefined> {
  return (typeof source === "function" ? await source(request) : source) || undefined;
}
