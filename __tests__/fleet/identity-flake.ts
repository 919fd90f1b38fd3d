import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";

import { check } from "./rig/command.js";
import { commitAll } from "./rig/flake.js";
import type { Runner } from "./rig/runner.js";

/** What a flake of the identity tests has beside its plain parts. */
export type IdentityFlake = {
  /** Attributes of `inputs`, in Nix's words. */
  readonly inputs?: string;
  /** An expression that sees `self`, `inputs` and `drv` (which makes a derivation of a shell script); a part of the system. */
  readonly more?: string;
};

/**
 * Renders a flake whose only configuration, `web1`, has a toplevel that holds all of the flake's identity: the same store path
 * means the same identity.
 */
export function identityFlake({ inputs = "", more = "null" }: IdentityFlake = {}): string {
  return `{
  ${inputs}
  outputs =
    { self, ... }@inputs:
    let
      drv = name: script: derivation { inherit name; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" script ]; };
      facts = builtins.toJSON {
        rev = self.rev or null;
        shortRev = self.shortRev or null;
        revCount = self.revCount or null;
        inherit (self) lastModified lastModifiedDate narHash;
        source = "\${self}";
        more = ${more};
      };
    in
    {
      nixosConfigurations.web1.config.system.build.toplevel = drv "nixos-system-web1" "echo '\${facts}' > $out";
    };
}
`;
}

/** Writes files, with their directories; a text that begins with `-> ` is a symbolic link. */
export function writeTree(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(directory, name);
    mkdirSync(path.dirname(file), { recursive: true });
    if (text.startsWith("-> ")) symlinkSync(text.slice(3), file);
    else writeFileSync(file, text);
    if (text.startsWith("#!")) chmodSync(file, 0o755);
  }
}

/** Locks a flake's inputs on the runner and commits everything. */
export async function lockAndCommit(runner: Runner, directory: string, flake = "."): Promise<void> {
  await commitAll(directory);
  const { code, stderr } = await runner.exec(`cd '${directory}' && nix flake lock '${flake}'`);
  if (code !== 0) throw new Error(`nix flake lock failed: ${stderr}`);
  await commitAll(directory);
}

/** Makes an empty commit, the tree and the date of which are those of the one before. */
export async function commitAgain(directory: string, message: string): Promise<string> {
  const date = "2026-01-02T03:04:05Z";
  const env = { PATH: process.env["PATH"] ?? "", HOME: "/root", GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date };
  const git = async (...args: string[]): Promise<string> =>
    await check("git", ["-C", directory, "-c", "user.name=fleet", "-c", "user.email=fleet@test", ...args], { env });
  // A parent would make another revCount: each is the first commit of a branch of its own.
  await git("checkout", "--quiet", "--orphan", message);
  await git("add", "--all");
  await git("commit", "--quiet", "--message", message);
  return (await git("rev-parse", "HEAD")).trim();
}
