import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

/** What the documents' front ends import, and where that is in this package. */
const theirs: Record<string, string> = {
  "@/hooks/useNotifications": "src/react/index.ts",
  "@/hooks/useWebSocket": "src/react/index.ts",
  "@/contexts/WebSocketContext": "src/react/index.ts",
  "./hooks/useWebSocket": "src/react/index.ts",
};

/**
 * Runs the documents' code as it is written: `document:3-bell.tsx?NotificationBell` is the file `tests/documents/3-bell.tsx`, word for word,
 * with an export of what it declares.
 */
export function documents(): Plugin {
  const prefix = "\0document:";
  return {
    name: "documents",
    enforce: "pre",
    resolveId(id, importer) {
      if (id.startsWith("document:")) return `\0${id}`.replace(/(\.\w+)\?(.*)$/, "?$2&lang$1");
      if (importer?.startsWith(prefix) && theirs[id]) return fileURLToPath(new URL(`../../${theirs[id]}`, import.meta.url));
      return undefined;
    },
    load(id) {
      if (!id.startsWith(prefix)) return undefined;
      const [, name, exported, extension] = id.match(/document:(.*)\?(.*)&lang(.*)$/) ?? [];
      const text = readFileSync(new URL(`../documents/${name}${extension}`, import.meta.url), "utf8");
      return `${text}\nexport { ${exported} };\n`;
    },
  };
}
