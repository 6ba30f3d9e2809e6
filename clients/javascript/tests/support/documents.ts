import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { transformSync } from "esbuild";
import type { Plugin } from "vite";

const sources = fileURLToPath(new URL("../../src/", import.meta.url));
const ours = `${sources}react/index.ts`;

/** What the documents' front ends import. */
const imported = ["@/hooks/useNotifications", "@/hooks/useWebSocket", "@/contexts/WebSocketContext", "./hooks/useWebSocket"];

/**
 * Runs the README's code as it is written: `readme:2?exports` is its second block of code in JavaScript or TypeScript. What it imports is
 * this package as it is here.
 */
export function readme(): Plugin {
  const prefix = "\0readme:";
  return {
    name: "readme",
    enforce: "pre",
    resolveId(id, importer) {
      if (id.startsWith("readme:")) return `\0${id}`;
      if (!importer?.startsWith(prefix) || !id.startsWith("@carillon/client")) return undefined;
      return `${sources}${id.slice("@carillon/client/".length)}/index.ts`.replace("//", "/");
    },
    load(id) {
      if (!id.startsWith(prefix)) return undefined;
      const text = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
      const blocks = [...text.matchAll(/```(?:js|tsx)\n(.*?)```/gs)].map(([, block]) => block as string);
      return transformSync(blocks[Number(id.slice(prefix.length)) - 1] as string, { loader: "tsx", jsx: "automatic" }).code;
    },
  };
}

/**
 * Runs the documents' code as it is written: `document:3-ticket-list?TicketList.tsx` is `tests/documents/3-ticket-list.tsx`, word for word,
 * with an export of what it declares. What it imports is this package. Of `1-hook?NotificationPanel&usage.jsx` only what follows the line
 * `// Usage` is taken, which uses the hook that the document has declared before.
 */
export function documents(): Plugin {
  const prefix = "\0document:";
  return {
    name: "documents",
    enforce: "pre",
    resolveId(id, importer) {
      if (id.startsWith("document:")) return `\0${id}`;
      return importer?.startsWith(prefix) && imported.includes(id) ? ours : undefined;
    },
    load(id) {
      const [, name, exported, usage, extension] = id.match(/^\0document:(.*)\?(\w+)(&usage)?(\.\w+)$/) ?? [];
      if (!name) return undefined;
      const text = readFileSync(new URL(`../documents/${name}${extension}`, import.meta.url), "utf8");
      const exporting = text.includes(`export const ${exported}`) ? "" : `export { ${exported} };\n`;
      const hook = `import { useWebSocket } from "./hooks/useWebSocket";`;
      const code = usage ? `${hook}\n${text.slice(text.indexOf("// Usage"))}\n${exporting}` : `${text}\n${exporting}`;
      return transformSync(code, { loader: "tsx", jsx: "automatic" }).code;
    },
  };
}
