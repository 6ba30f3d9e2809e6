// Empties `dist` before a build, but for what tells git and cargo that it is there.
import { readdir, rm } from "node:fs/promises";

const dist = new URL("../dist/", import.meta.url);
for (const name of await readdir(dist)) {
  if (!name.startsWith(".")) await rm(new URL(name, dist), { recursive: true });
}
