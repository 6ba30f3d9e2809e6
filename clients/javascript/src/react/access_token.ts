/** Where document 3 keeps the token. */
export const ACCESS_TOKEN = "access_token";

/** How often it is looked for: this page's own changes of the storage tell nobody. */
const LOOK = 1000;

/** The token in this page's storage, if there is one. */
export function accessToken(): string | null {
  try {
    return typeof localStorage === "undefined" ? null : localStorage.getItem(ACCESS_TOKEN);
  } catch {
    return null;
  }
}

/** Calls `changed` when the token may be another one. */
export function onAccessToken(changed: () => void): () => void {
  addEventListener("storage", changed);
  const timer = setInterval(changed, LOOK);
  return () => {
    removeEventListener("storage", changed);
    clearInterval(timer);
  };
}

/** Whose token it is, so that a refreshed one of the same user is no reason to connect anew. */
export function identity(token: string | null): string | null {
  if (!token) return null;
  try {
    const claims = JSON.parse(atob((token.split(".")[1] as string).replace(/-/g, "+").replace(/_/g, "/")));
    return `${claims.iss ?? ""} ${claims.user_id ?? claims.sub ?? token}`;
  } catch {
    return token;
  }
}
