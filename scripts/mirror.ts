import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

import { root } from "./paths.js";

// Runs after tsc and makes out/ the mirror of the sources: what a module reads lies beside it, and what was emitted from
// a source that is gone is gone too, so that no test outlives its file.

const sources = ["src", "__tests__", "scripts"];

function filesBelow(directory: string): string[] {
  return readdirSync(join(root, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length));
}

const expected = new Set<string>();
for (const source of sources.flatMap(filesBelow)) {
  if (source.endsWith(".ts")) {
    expected.add(join("out", source.replace(/\.ts$/, ".js")));
    continue;
  }
  const copy = join("out", source);
  expected.add(copy);
  mkdirSync(join(root, dirname(copy)), { recursive: true });
  copyFileSync(join(root, source), join(root, copy));
  chmodSync(join(root, copy), statSync(join(root, source)).mode);
}
for (const emitted of filesBelow("out")) {
  if (!expected.has(emitted) && existsSync(join(root, emitted))) rmSync(join(root, emitted));
}
