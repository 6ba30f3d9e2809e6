/** Why a connection isn't open. */
export type ReasonKind =
  /** This side closed it. */
  | "asked"
  /** It broke, or couldn't be made. */
  | "network"
  /** It said nothing any more, and was given up. */
  | "silent"
  /** The gateway goes. */
  | "restart"
  /** The client doesn't keep up, or something is away. */
  | "overloaded"
  /** Over a limit of connections. */
  | "limit"
  /** An administrator closed it. */
  | "disconnected"
  /** The other side closed it for good, with 1000. */
  | "normal"
  /** No token, one that isn't valid, or one that has expired: documents 0 to 3 have one code for all of them. */
  | "unauthenticated"
  | "token_missing"
  | "token_invalid"
  | "token_expired"
  /** The token's callback failed. */
  | "token_callback"
  /** Not allowed here: no member, no longer a member, or blocked. */
  | "denied"
  /** An endpoint of somebody else. */
  | "not_yours"
  | "not_found"
  /** What was sent can't be taken (documents: too large, or not of the protocol). */
  | "unacceptable";

/** What a client does about it. */
export type Remedy =
  /** Come back. */
  | "retry"
  /** Come back with another token, if there is one. */
  | "renew"
  /** Don't come back: it would be in vain. */
  | "stop";

/** Why a connection isn't open, as it is shown. */
export interface Reason {
  readonly kind: ReasonKind;
  /** The close code, if there was one. */
  readonly code?: number;
  /** What the other side said, or what went wrong here. */
  readonly message: string;
}

type Codes = Readonly<Record<number, readonly [ReasonKind, Remedy]>>;

const everywhere: Codes = {
  1000: ["normal", "stop"],
  1001: ["restart", "retry"],
  1012: ["restart", "retry"],
  1013: ["overloaded", "retry"],
  4102: ["disconnected", "retry"],
  4429: ["limit", "retry"],
};

/** `/ws/notifications/`, `/ws/events/…`, `/ws/collaboration/…`, `/ws/counter/…`, `/ws/projects/…`, `/ws/system-health/`. */
const documents0to3: Codes = {
  4001: ["unauthenticated", "renew"],
  4003: ["denied", "stop"],
  4004: ["not_found", "stop"],
};

/** `/ws/notifications/{user_id}/` and `/ws/chat/…`. */
const document4: Codes = {
  4001: ["token_invalid", "renew"],
  4002: ["token_expired", "renew"],
  4003: ["token_missing", "renew"],
  4004: ["denied", "stop"],
  4005: ["not_yours", "stop"],
};

/** `/ws/documents/…`. */
const sharedDocuments: Codes = {
  1003: ["unacceptable", "stop"],
  1007: ["unacceptable", "stop"],
  4401: ["unauthenticated", "renew"],
  4403: ["denied", "stop"],
  4413: ["unacceptable", "stop"],
};

/** `/ws/v1/`. */
const channels: Codes = {
  4101: ["token_expired", "renew"],
  4501: ["token_missing", "renew"],
  4502: ["token_invalid", "renew"],
  4503: ["denied", "stop"],
};

function codesOf(path: string): Codes {
  if (/\/ws\/v1\/?$/.test(path)) return channels;
  if (/\/ws\/documents\//.test(path)) return sharedDocuments;
  return /\/ws\/(chat\/|notifications\/[^/]+)/.test(path) ? document4 : documents0to3;
}

/** What a close code means at the endpoint of this path, and what to do about it. */
export function meaning(path: string, code: number): readonly [ReasonKind, Remedy] {
  return codesOf(path)[code] ?? everywhere[code] ?? ["network", "retry"];
}
