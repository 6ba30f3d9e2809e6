import { Hubs } from "./hub.js";
import type { Port } from "./messages.js";

// The module of the SharedWorker in which the connections of all tabs are.
const hubs = new Hubs();
const scope = globalThis as unknown as { onconnect: (event: { ports: Port[] }) => void };
scope.onconnect = ({ ports }) => {
  for (const port of ports) hubs.serve(port);
};
