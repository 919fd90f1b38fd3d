import type { CommandError, DeployErrorParts } from "../domain/errors.js";

/** Explains why a flake did not arrive on a machine. `lost` tells whether the connection went away. */
export function explainSendFailure(error: CommandError, lost: boolean): DeployErrorParts {
  const lines = error.stderr
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-20);
  const exitCode = error.failure.kind === "exit" ? error.failure.exitCode : undefined;
  const parts = (reason: string, hint?: string): DeployErrorParts => ({ phase: "copy", reason, hint, lines, exitCode, cause: error });
  if (lost) return { ...parts("the connection was lost while the flake was sent"), unreachable: true, exitCode: 255 };
  if (/No space left on device|disk is full/i.test(error.stderr))
    return parts("no space is left on the machine for the flake", "Free some with `nix-collect-garbage -d` on the machine");
  if (/lacks a (?:valid )?signature|lacks a signature by a trusted key/i.test(error.stderr)) {
    return parts(
      "the machine does not accept a store path without a trusted signature",
      "Set check-sigs to false (its Nix must then trust the ssh user: nix.settings.trusted-users), or sign the path",
    );
  }
  if (/nix-daemon: (?:command )?not found|nix-daemon: No such file/i.test(error.stderr)) {
    return parts(
      "nix-daemon is not in the PATH of a non-interactive ssh session on the machine",
      "Is it NixOS, and does the user's shell start-up keep /run/current-system/sw/bin in PATH?",
    );
  }
  if (/unrecognised flag|unrecognized flag|requires at least Nix/i.test(error.stderr))
    return parts("nix on the runner does not know an argument", "Look at archive-args; check-sigs: false needs Nix 2.30 on the runner");
  return parts("the flake could not be sent", "The lines below are Nix's own");
}
