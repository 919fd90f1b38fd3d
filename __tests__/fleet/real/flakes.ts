import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { checkout } from "../rig/checkout.js";
import { commitAll } from "../rig/flake.js";
import type { RealTools } from "../rig/real-tools.js";
import type { Runner } from "../rig/runner.js";

/** The machines of every flake here. */
export const hosts = ["db1", "web1"];

// Enough for a real NixOS to evaluate without disks and boot loader.
const small = `boot.isContainer = true; system.configurationRevision = self.rev or null; system.stateVersion = "24.05";`;

const plain = `{
  inputs.nixpkgs.url = "github:NixOS/nixpkgs";
  outputs = { self, nixpkgs }: {
    nixosConfigurations = builtins.mapAttrs (name: text: nixpkgs.lib.nixosSystem {
      system = "x86_64-linux";
      modules = [ { networking.hostName = name; users.motd = text; ${small} } ];
    }) { db1 = "database"; web1 = "web"; };
  };
}
`;

const toolFlake = (tool: string): string => readFileSync(path.join(checkout, "__tests__/fleet/flakes", tool, "flake.nix"), "utf8");

const deployRs = (): string =>
  toolFlake("deploy-rs")
    .replace(
      "  inputs.deploy-rs.url",
      `  inputs.nixpkgs.url = "github:NixOS/nixpkgs";\n  inputs.deploy-rs.inputs.nixpkgs.follows = "nixpkgs";\n  inputs.deploy-rs.url`,
    )
    .replace("./web1/configuration.nix", `{ networking.hostName = "web1"; }`)
    .replaceAll(`networking.hostName = `, `${small} networking.hostName = `);

const colmena = (): string => toolFlake("colmena").replace(`colmena.url =`, `colmena.inputs.nixpkgs.follows = "nixpkgs";\n    colmena.url =`);

/** Commits a flake whose inputs are the trees of REAL_TOOLS, locked by the runner's Nix. Returns the commit. */
export async function writeRealFlake(kind: "nixos" | "deploy-rs" | "colmena", directory: string, runner: Runner, tools: RealTools): Promise<string> {
  mkdirSync(directory, { recursive: true });
  const text = kind === "nixos" ? plain : kind === "deploy-rs" ? deployRs() : colmena();
  const local = text
    .replaceAll(/"github:NixOS\/nixpkgs[^"]*"/g, `"path:${tools.nixpkgs}"`)
    .replace(`"github:serokell/deploy-rs"`, `"path:${tools.deployRs}"`)
    .replace(`"github:zhaofengli/colmena"`, `"path:${tools.colmena}"`);
  writeFileSync(path.join(directory, "flake.nix"), local);
  await commitAll(directory);
  const { code, stderr } = await runner.exec(`nix flake lock '${directory}'`);
  if (code !== 0) throw new Error(`nix flake lock failed: ${stderr}`);
  return await commitAll(directory);
}
