import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

/** Where distributions put a Chromium: Playwright's own downloads are not needed. */
const CHROMIUM = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"].map(
  (name) => `/usr/bin/${name}`,
);

/** Chromium's sandbox is not for root. */
const isRoot = process.getuid?.() === 0;

export default defineConfig({
  testDir: "tests",
  // Each test has users and a project of its own; they share what serves them.
  fullyParallel: true,
  workers: 2,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  forbidOnly: true,
  reporter: [["list"]],
  use: {
    actionTimeout: 30_000,
    locale: "en-GB",
    timezoneId: "UTC",
    viewport: { width: 1280, height: 800 },
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? CHROMIUM.find(existsSync),
      args: isRoot ? ["--no-sandbox"] : [],
    },
  },
});
