import WebSocket from "ws";

// Node.js 20 has none of its own; jsdom has.
globalThis.WebSocket ??= WebSocket as never;
