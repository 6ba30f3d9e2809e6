/** What `path` is at `base`, for a WebSocket. A path may be an address of its own, as in the documents. */
export function address(path: string, base: string | undefined): URL {
  const here = base ?? (typeof location === "undefined" ? undefined : location.origin);
  if (here === undefined && !/^\w+:/.test(path)) throw new Error("outside a page the option `url` says where Carillon is");
  const url = new URL(/^[/\w]+:/.test(path) ? path : path.replace(/^\/?/, "/"), here);
  url.protocol = url.protocol.replace(/^http/, "ws");
  return url;
}

/** As the documents' log lines name an endpoint: without slash, host, and token. */
export function shown(url: URL): string {
  return url.pathname.slice(1);
}

/** What `path` is there for HTTP. */
export function httpAddress(path: string, base: string | undefined): string {
  const url = address(path, base);
  url.protocol = url.protocol.replace(/^ws/, "http");
  return url.href;
}
