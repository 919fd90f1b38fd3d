import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { checkout } from "./rig/checkout.js";
import { commitAll } from "./rig/flake.js";
import type { Runner } from "./rig/runner.js";

// Flakes as the users of deploy-rs and colmena have them, written after the examples in those projects' READMEs. Their inputs
// are the real ones by name; no internet is reached here, so flake.lock names stand-ins on the disk of the runner, with the
// parts of the libraries that such a flake calls.
const flakes = fileURLToPath(new URL("./flakes", import.meta.url));

const inputs = {
  nixpkgs: { type: "indirect", id: "nixpkgs" },
  "nixpkgs of colmena": { type: "github", owner: "NixOS", repo: "nixpkgs", ref: "nixos-unstable" },
  "deploy-rs": { type: "github", owner: "serokell", repo: "deploy-rs" },
  colmena: { type: "github", owner: "zhaofengli", repo: "colmena" },
};

/** Makes a repository of the flake of a tool. Returns its commit. */
export async function writeToolFlake(tool: "deploy-rs" | "colmena", directory: string, runner: Runner): Promise<string> {
  const standIns = path.join(path.dirname(directory), "stand-ins");
  cpSync(path.join(flakes, "stand-ins"), standIns, { recursive: true });
  cpSync(path.join(checkout, "examples/flake/nixos"), path.join(standIns, "nixpkgs/nixos/stand-in"), { recursive: true });
  mkdirSync(directory, { recursive: true });
  cpSync(path.join(flakes, tool), directory, { recursive: true });
  const node = async (name: string, original: object): Promise<object> => {
    const { code, stdout, stderr } = await runner.exec(`nix hash path ${standIns}/${name}`);
    if (code !== 0) throw new Error(`nix hash path failed: ${stderr}`);
    return { locked: { type: "path", path: `${standIns}/${name}`, narHash: stdout.trim(), lastModified: 1 }, original };
  };
  const nodes = {
    nixpkgs: await node("nixpkgs", tool === "colmena" ? inputs["nixpkgs of colmena"] : inputs.nixpkgs),
    [tool]: await node(tool, inputs[tool]),
    root: { inputs: { nixpkgs: "nixpkgs", [tool]: tool } },
  };
  writeFileSync(path.join(directory, "flake.lock"), `${JSON.stringify({ nodes, root: "root", version: 7 }, undefined, 2)}\n`);
  return await commitAll(directory);
}

/** The flake.nix of a tool as the project has it. */
export function toolFlakeText(tool: "deploy-rs" | "colmena"): string {
  return readFileSync(path.join(flakes, tool, "flake.nix"), "utf8");
}
