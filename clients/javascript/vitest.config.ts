import { defineConfig } from "vitest/config";
import { documents } from "./tests/support/documents.js";

export default defineConfig({
  plugins: [documents()],
  test: {
    include: ["tests/**/*.test.{ts,tsx}"],
    setupFiles: ["tests/support/setup.ts"],
    environmentOptions: { jsdom: { url: "http://localhost/" } },
    testTimeout: 20_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
  },
});
