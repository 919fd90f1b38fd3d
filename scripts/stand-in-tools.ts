import { chmodSync, cpSync, mkdirSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";

import { root } from "./paths.js";

// Fills a directory as REAL_TOOLS wants it with the rig's stand-ins, so that `npm run test:real` can be tried without the real
// programs. Argument: DIRECTORY, which must not exist.

const [named] = process.argv.slice(2);
if (named === undefined) throw new Error("name a new directory: node out/scripts/stand-in-tools.js DIRECTORY");
const directory = resolve(named);
mkdirSync(directory);
const rig = join(root, "__tests__/fleet");
const versions = {
  "2.35.2": "nix-2.35.2",
  "determinate-3.22.2": "determinate-3.22.2",
  "lix-2.95.3": "lix-2.95.3",
};
for (const [version, standIn] of Object.entries(versions)) {
  const programs = join(directory, "nix", version);
  mkdirSync(join(programs, "bin"), { recursive: true });
  cpSync(join(rig, "rig/nix"), join(programs, "lib"), { recursive: true });
  chmodSync(join(programs, "lib", `${standIn}.py`), 0o755);
  symlinkSync(`../lib/${standIn}.py`, join(programs, "bin/nix"));
}
for (const tree of ["nixpkgs", "deploy-rs", "colmena"]) cpSync(join(rig, "flakes/stand-ins", tree), join(directory, tree), { recursive: true });
cpSync(join(root, "examples/flake/nixos"), join(directory, "nixpkgs/nixos/stand-in"), { recursive: true });
console.log(`REAL_TOOLS=${directory} npm run test:real`);
