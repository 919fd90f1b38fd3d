import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { root } from "./paths.js";

// Bundles the entry points with ncc. Arguments: `--out DIR`, the checkout's dist/ by default.
// No source maps (they double the start) and no minification (what runs with deploy keys can be read).

/** Each entry point and the directory of its bundle below `dist/`. */
const entries = [
  { module: "out/src/entry/deploy.js", directory: "." },
  { module: "out/src/entry/post.js", directory: "post" },
  { module: "out/src/entry/matrix.js", directory: "matrix" },
];

const { values } = parseArgs({ options: { out: { type: "string", default: join(root, "dist") } } });
const out = resolve(values.out);
// A new directory in the old one's place: a file that is no longer made does not stay.
const fresh = mkdtempSync(`${out}.`);
try {
  for (const { module, directory } of entries) bundle(module, join(fresh, directory));
  rmSync(out, { recursive: true, force: true });
  renameSync(fresh, out);
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

function bundle(module: string, directory: string): void {
  if (!existsSync(join(root, module))) throw new Error(`the entry point ${module} is missing; tsc emits it from src/`);
  mkdirSync(directory, { recursive: true });
  const ncc = join(root, "node_modules/@vercel/ncc/dist/ncc/cli.js");
  const args = [ncc, "build", join(root, module), "--out", directory, "--license", "licenses.txt", "--no-cache", "--quiet"];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) throw new Error(`ncc ended with ${status} for ${module}`);
  const path = join(directory, "index.js");
  const bundled = readFileSync(path, "utf8");
  // ncc 0.45.0 puts this call in the place of a file that it does not find, and calls that a success.
  const missing = /eval\("require"\)\("([^"]+)"\)/.exec(bundled);
  if (missing !== null) throw new Error(`ncc did not find ${missing[1]} for ${module}`);
  writeFileSync(path, bundled.replaceAll(/^\/\/# sourceMappingURL=.*\n?/gm, ""));
}
