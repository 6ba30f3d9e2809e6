/**
 * A channel's name out of its parts, as `channelName("room", "café")` or `channelName("project", 1, "tickets")`: in each part every byte
 * but ASCII letters, digits, `_` and `-` is written `=XX`.
 */
export function channelName(...parts: (string | number)[]): string {
  return parts.map((part) => encoded(String(part))).join(".");
}

function encoded(part: string): string {
  return part.replace(/[^\w-]/gu, (character) =>
    [...new TextEncoder().encode(character)].map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
}
