import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { type Behaviour, runningUnit, writeFlake } from "../../rig/flake.js";

/** What is deployed. `nothing` is the flake of the work before it, once more. */
export const works = ["change", "nothing", "restart", "source tree", "closure"] as const;

export type Work = (typeof works)[number];

const treeFiles = 5000;
const fileBytes = 3300;
const packageKibibytes = 16_384;

let edition = 0;

/** Writes the next commit of the flake for a work into its directory. Returns the directory. */
export async function writeWork(work: Exclude<Work, "nothing">, directory: string, names: readonly string[]): Promise<string> {
  edition += 1;
  const text = `edition ${edition}`;
  const behaviours: Readonly<Record<Exclude<Work, "nothing">, Behaviour>> = {
    change: { text },
    restart: { text, units: { "bench.service": runningUnit(text) } },
    "source tree": { text },
    closure: { text, packages: { payload: String(edition) }, sizes: { payload: packageKibibytes } },
  };
  const workspace = join(directory, work.replace(" ", "-"));
  if (work === "source tree") writeTree(join(workspace, "tree"));
  return await writeFlake(workspace, Object.fromEntries(names.map((name) => [name, behaviours[work]])), { git: true });
}

/** Files of words: they compress about as well as a tree of Nix expressions. */
function writeTree(directory: string): void {
  for (let number = 0; number < treeFiles; number += 1) {
    const folder = join(directory, String(number % 50));
    if (number < 50) mkdirSync(folder, { recursive: true });
    const seed = createHash("sha256").update(`${number}`).digest("hex");
    const line = (index: number): string => `  option${index} = mkOption { default = "${seed.slice(index % 32, (index % 32) + 12)}"; };\n`;
    let text = "";
    for (let index = 0; text.length < fileBytes; index += 1) text += line(index);
    writeFileSync(join(folder, `${number}.nix`), text);
  }
}
