/** Whose token it is, so that a refreshed one of the same user is no reason to connect anew; undefined: nobody's. */
export function identity(token: string | null | undefined): string | undefined {
  if (!token) return undefined;
  try {
    const claims = JSON.parse(atob((token.split(".")[1] as string).replace(/-/g, "+").replace(/_/g, "/")));
    return `${claims.iss ?? ""} ${claims.user_id ?? claims.sub ?? token}`;
  } catch {
    return token;
  }
}
