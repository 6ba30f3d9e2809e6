import { useSyncExternalStore } from "react";

/** What is shown, as the address says it after `#`. */
export type Route =
  | { readonly page: "home" }
  | { readonly page: "board"; readonly project: string; readonly ticket?: string }
  | { readonly page: "chat" }
  | { readonly page: "room"; readonly room: string }
  | { readonly page: "conversation"; readonly conversation: string }
  | { readonly page: "document"; readonly name: string }
  | { readonly page: "counter" }
  | { readonly page: "system" };

export function routeOf(hash: string): Route {
  const [first, second, third, fourth] = hash
    .replace(/^#?\/?/, "")
    .split("/")
    .map(decode);
  if (first === "projects" && second) {
    const ticket = third === "tickets" && fourth ? { ticket: fourth } : {};
    return { page: "board", project: second, ...ticket };
  }
  if (first === "chat" && second === "rooms" && third) return { page: "room", room: third };
  if (first === "chat" && second) return { page: "conversation", conversation: second };
  if (first === "chat") return { page: "chat" };
  if (first === "documents") return { page: "document", name: second || "welcome" };
  if (first === "counter") return { page: "counter" };
  if (first === "system") return { page: "system" };
  return { page: "home" };
}

export function hashOf(route: Route): string {
  switch (route.page) {
    case "home":
      return "#/";
    case "board": {
      const ticket = route.ticket === undefined ? "" : `/tickets/${encodeURIComponent(route.ticket)}`;
      return `#/projects/${encodeURIComponent(route.project)}${ticket}`;
    }
    case "room":
      return `#/chat/rooms/${encodeURIComponent(route.room)}`;
    case "conversation":
      return `#/chat/${encodeURIComponent(route.conversation)}`;
    case "document":
      return `#/documents/${encodeURIComponent(route.name)}`;
    default:
      return `#/${route.page}`;
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function go(route: Route): void {
  location.hash = hashOf(route);
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(
    (listener) => {
      addEventListener("hashchange", listener);
      return () => removeEventListener("hashchange", listener);
    },
    () => location.hash,
  );
  return routeOf(hash);
}
