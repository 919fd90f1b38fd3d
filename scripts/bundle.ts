import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { loadLate } from "./bundle/late-modules.js";
import { uniteLicenses } from "./bundle/licenses.js";
import { entries, field } from "../src/domain/json.js";
import { root } from "./paths.js";

// Bundles src/ with ncc into one file, action.js, beside the files that it reads, and writes a file for each entry point that starts it.
// What a deployment does first is bundled once more, alone, so that it runs while Node reads the rest.
// Arguments: `--out DIR`, the checkout's dist/ by default.
// No source maps (they double the start) and no minification (what runs with deploy keys can be read).

const bundles = { "core-dumps.js": "out/src/process/core-dumps.js", "action.js": "out/src/entry/index.js" };
const starting = (name: string): string => `import { ${name}, start } from "./action.js";\n\nawait start(${name});\n`;
/** Files that an `action.yml` names. */
const entryPoints = {
  "index.js": `import { preventCoreDumps } from "./core-dumps.js";

const protectedMemory = preventCoreDumps();
const { deploy, start } = await import("./action.js");

await start(async () => await deploy(protectedMemory));
`,
  "post.js": starting("post"),
  "matrix.js": starting("matrix"),
  "build.js": starting("build"),
};

const { values } = parseArgs({ options: { out: { type: "string", default: join(root, "dist") } } });
const out = resolve(values.out);
// A new directory in the old one's place: a file that is no longer made does not stay.
const fresh = mkdtempSync(`${out}.`);
try {
  for (const [name, module] of Object.entries(bundles)) bundle(fresh, name, module);
  for (const [file, text] of Object.entries(entryPoints)) writeFileSync(join(fresh, file), text);
  const licenses = join(fresh, "licenses.txt");
  writeFileSync(licenses, uniteLicenses(readFileSync(licenses, "utf8"), dependencies()));
  rmSync(out, { recursive: true, force: true });
  renameSync(fresh, out);
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

function bundle(directory: string, name: string, module: string): void {
  if (!existsSync(join(root, module))) throw new Error(`${module} is missing; tsc emits it from src/`);
  const ncc = join(root, "node_modules/@vercel/ncc/dist/ncc/cli.js");
  const args = [ncc, "build", join(root, module), "--out", directory, "--license", "licenses.txt", "--no-cache", "--quiet"];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) throw new Error(`ncc ended with ${status} for ${module}`);
  const path = join(directory, "index.js");
  const bundled = readFileSync(path, "utf8");
  // ncc 0.45.0 puts this call in the place of a file that it does not find, and calls that a success.
  const missing = /eval\("require"\)\("([^"]+)"\)/.exec(bundled);
  if (missing !== null) throw new Error(`ncc did not find ${missing[1]} for ${module}`);
  rmSync(path);
  // It gives a file a hash for a name where it has not understood the module that reads it.
  const renamed = readdirSync(directory).filter((file) => /^[0-9a-f]{20}\./.test(file));
  if (renamed.length > 0) throw new Error(`ncc has renamed ${renamed.length} files that ${module} reads, such as ${renamed[0]}`);
  writeFileSync(join(directory, name), loadLate(bundled.replaceAll(/^\/\/# sourceMappingURL=.*\n?/gm, "")));
}

function dependencies(): string[] {
  const manifest: unknown = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return entries(field(manifest, "dependencies")).map(([name]) => name);
}
