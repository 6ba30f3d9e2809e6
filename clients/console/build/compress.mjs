// Puts beside each file of `dist` what it is compressed, which the gateway embeds with it; and says how large it all is.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const dist = new URL("../dist/", import.meta.url);
const totals = { plain: 0, gzip: 0, brotli: 0 };
const files = await readdir(dist, { recursive: true, withFileTypes: true });
for (const file of files) {
  if (!file.isFile() || !/\.(html|js|css|svg|json)$/.test(file.name)) continue;
  const path = `${file.parentPath}/${file.name}`;
  const plain = await readFile(path);
  const gzip = gzipSync(plain, { level: 9 });
  const brotli = brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: plain.length } });
  await writeFile(`${path}.gz`, gzip);
  await writeFile(`${path}.br`, brotli);
  totals.plain += plain.length;
  totals.gzip += gzip.length;
  totals.brotli += brotli.length;
}
const shown = Object.entries(totals).map(([name, bytes]) => `${Math.ceil(bytes / 1024)} KB ${name}`);
console.log(`the console is ${shown.join(", ")}`);
