import { expect, test } from "./deployment/fixtures.ts";

test("the page is always current, and its files are kept for ever", async ({ request, url }) => {
  const page = await request.get(url);
  expect(page.headers()).toMatchObject({
    "cache-control": "no-cache",
    "content-type": "text/html; charset=utf-8",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
  });
  const policy = page.headers()["content-security-policy"] ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|https?:/);
  const again = await request.get(url, { headers: { "if-none-match": page.headers().etag ?? "" } });
  expect(again.status()).toBe(304);
  const files = [...(await page.text()).matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path);
  expect(files.length).toBeGreaterThan(2);
  for (const path of files) {
    const file = await request.get(url + path, { headers: { "accept-encoding": "br" } });
    expect(file.status(), path).toBe(200);
    expect(file.headers()["cache-control"], path).toBe("public, max-age=31536000, immutable");
    expect(file.headers()["content-encoding"], path).toBe("br");
  }
});

test("what a browser loads before anybody can do anything is small", async ({ page, url }) => {
  let bytes = 0;
  page.on("response", async (response) => {
    bytes += (await response.request().sizes()).responseBodySize;
  });
  await page.goto(url, { waitUntil: "networkidle" });
  await expect(page.getByLabel("Username")).toBeVisible();
  expect(bytes).toBeGreaterThan(10_000);
  expect(bytes).toBeLessThan(130_000);
});
