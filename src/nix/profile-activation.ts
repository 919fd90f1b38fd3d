import { CommandError } from "../domain/errors.js";
import type { StorePath } from "../domain/store-path.js";
import { runNixStore } from "./nix-command.js";

// The lines of the script that deploy-rs makes for a NixOS system (`activate.nixos` in its flake.nix). The last one works around an
// entry that systemd-boot keeps as its default.
const linesOfNixos = [
  /^#/,
  /^set -euo pipefail$/,
  /^(?:el)?if \[\[ "\$\{(?:DRY_ACTIVATE|BOOT):-\}" == "1" \]\]$/,
  /^(?:then|else|fi)$/,
  /^cd \/tmp$/,
  /^\$PROFILE\/bin\/switch-to-configuration (?:switch|boot|dry-activate)$/,
  /^sed -i '\/\^default \/d' \S+\/loader\/loader\.conf$/,
];

/** Returns whether the script that activates a profile of deploy-rs does something else than to switch to the system in it. */
export function isOwnActivation(script: string): boolean {
  const lines = script
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return !lines.includes("$PROFILE/bin/switch-to-configuration switch") || lines.some((line) => !linesOfNixos.some((known) => known.test(line)));
}

/** Reads the script that a derivation writes; `undefined` where the derivation does not have its text. */
export async function readActivation(derivation: StorePath, signal: AbortSignal | undefined): Promise<string | undefined> {
  try {
    return (await runNixStore(["--query", "--binding", "text", derivation], { signal })).stdout;
  } catch (error) {
    if (!(error instanceof CommandError) || error.failure.kind === "aborted") throw error;
    return undefined;
  }
}
