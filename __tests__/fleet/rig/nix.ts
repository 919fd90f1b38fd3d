import { chmodSync, cpSync, lstatSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";

import { asset } from "./checkout.js";
import type { Suite } from "./root-file-system.js";

/** The Nix that Debian does not have: programs in `nix/` that stand before forky's own and behave as those versions were recorded. */
export const nixStandIns = ["nix-2.35.2", "determinate-3.22.2", "determinate-3.22.2-lazy-trees", "lix-2.95.3"] as const;

export type NixStandIn = (typeof nixStandIns)[number];

/** Where the suite's own Nix is found behind a stand-in. */
export const realNix = "/usr/libexec/real-nix/nix";

/**
 * Puts a stand-in at `/usr/bin/nix` of a root file system of forky, so that PATH makes no difference; `nix-store` and every other
 * name stay the real program.
 */
export function putNix(root: string, standIn: NixStandIn, suite: Suite = "forky"): void {
  if (suite !== "forky") throw new Error(`${standIn} stands before the Nix of forky, not of ${suite}`);
  moveNix(root);
  const library = path.join(root, "usr/local/lib/nix-stand-ins");
  cpSync(asset("nix"), library, { recursive: true });
  const program = `${standIn}.py`;
  chmodSync(path.join(library, program), 0o755);
  symlinkSync(`/usr/local/lib/nix-stand-ins/${program}`, path.join(root, "usr/bin/nix"));
}

/** Makes room for another program at `/usr/bin/nix`: every other name of the suite's own Nix finds it where it is now. */
export function moveNix(root: string): void {
  const bin = path.join(root, "usr/bin");
  const real = path.join(root, realNix);
  mkdirSync(path.dirname(real), { recursive: true });
  renameSync(path.join(bin, "nix"), real);
  for (const name of readdirSync(bin)) {
    const file = path.join(bin, name);
    if (!name.startsWith("nix-") || !lstatSync(file).isSymbolicLink() || path.basename(readlinkSync(file)) !== "nix") continue;
    rmSync(file);
    symlinkSync(realNix, file);
  }
}
