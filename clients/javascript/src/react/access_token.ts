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
