import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Where `npm run dev` finds a Carillon: `make run` has it there. */
const CARILLON = process.env.CARILLON_URL ?? "http://127.0.0.1:8000";

const client = (file: string) => fileURLToPath(new URL(`../javascript/src/${file}`, import.meta.url));

export default defineConfig({
  plugins: [react()],
  resolve: {
    // The client's own source: one build for both, and nothing to build first.
    alias: [
      { find: /^@carillon\/client\/react$/, replacement: client("react/index.ts") },
      { find: /^@carillon\/client$/, replacement: client("index.ts") },
    ],
    dedupe: ["react", "react-dom"],
  },
  build: {
    // The directory itself stays: cargo watches it.
    emptyOutDir: false,
    // Everything has a name of its own, which the gateway's policy lets the page load.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2023",
  },
  server: {
    proxy: Object.fromEntries(
      ["/api", "/ws", "/blobs"].map((path) => [path, { target: CARILLON, ws: true, changeOrigin: true }]),
    ),
  },
});
