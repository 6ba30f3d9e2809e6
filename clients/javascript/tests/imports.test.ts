import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";

const dist = join(import.meta.dirname, "../dist");

/** What a page loads of a module of the package, minified, without what it brings itself. */
async function minified(entry: string): Promise<Uint8Array> {
  const external = ["react"];
  const { outputFiles } = await build({
    entryPoints: [join(dist, entry)],
    bundle: true,
    minify: true,
    format: "esm",
    external,
    write: false,
  });
  return outputFiles[0]?.contents as Uint8Array;
}

test("the core is at most 8 KB, minified and gzipped", async () => {
  const core = gzipSync(await minified("index.js"), { level: 9 }).length;
  console.info(`the core has ${core} bytes, with React ${gzipSync(await minified("react/index.js"), { level: 9 }).length}`);
  expect(core).toBeLessThanOrEqual(8 * 1024);
  expect(core).toBeGreaterThan(1024);
});

test("the core needs nothing at run time, and React's half nothing but React", () => {
  const imports = (readdirSync(dist, { recursive: true }) as string[])
    .filter((file) => file.endsWith(".js"))
    .flatMap((file) => [...readFileSync(join(dist, file), "utf8").matchAll(/^(?:import|export) .*?from "([^.][^"]*)"/gms)])
    .map(([, name]) => name);
  expect([...new Set(imports)]).toEqual(["react"]);
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(dist, "../package.json"), "utf8"));
  expect([dependencies, Object.keys(peerDependencies)]).toEqual([undefined, ["react"]]);
});

test("each entry can be imported where there is no page", async () => {
  const { exports } = JSON.parse(readFileSync(join(dist, "../package.json"), "utf8"));
  const names = Object.keys(exports).map((entry) => entry.replace(".", "@carillon/client"));
  for (const name of names) expect(await import(name)).toBeTypeOf("object");
  const core = await import("@carillon/client" as string);
  expect(Object.keys(core).sort()).toEqual([
    "CarillonClient",
    "CarillonError",
    "EndpointSocket",
    "channelName",
    "connect",
    "createClient",
    "meaning",
  ]);
});
