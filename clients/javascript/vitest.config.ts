import { defineConfig } from "vitest/config";
import { documents, readme } from "./tests/support/documents.js";

export default defineConfig({
  plugins: [documents(), readme()],
  test: {
    include: ["tests/**/*.test.{ts,tsx}"],
    setupFiles: ["tests/support/setup.ts"],
    environmentOptions: { jsdom: { url: "http://localhost:8000/" } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
