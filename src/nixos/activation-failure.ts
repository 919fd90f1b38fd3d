import type { ActivationFailure } from "../deploy/ports.js";
import type { RebuildFailure } from "./build-failure.js";

const noSpace = /No space left on device|disk is full/i;

/**
 * Explains the end of `nixos-rebuild switch`, `boot`, `test` or `dry-activate`. The bash implementation says 1 for every
 * failure of switch-to-configuration, so that the lines have to tell.
 */
export function activationFailure({ exitCode, lines }: Pick<RebuildFailure, "exitCode" | "lines">): ActivationFailure {
  const text = lines.join("\n");
  const code = `exit code ${exitCode}`;
  if (exitCode === 100 || /incompatible with the\s+current configuration/i.test(text)) {
    return {
      kind: "reboot",
      reason: `the new system wants another init than the one that runs (${code})`,
      hint: "It takes effect with a reboot: deploy with `operation: boot`, then reboot the machine",
    };
  }
  if (/switch inhibitor|pre-switch check.* failed|Switching into this (?:system|configuration) is not recommended/i.test(text)) {
    return {
      kind: "inhibited",
      reason: `the new system refuses to be switched to while the old one runs (${code})`,
      hint: "A switch inhibitor of the configuration is in the way: deploy with `operation: boot`, then reboot the machine",
    };
  }
  if (noSpace.test(text))
    return {
      kind: "no-space",
      reason: `no space is left on the machine for the activation (${code})`,
      hint: "Free some with `nix-collect-garbage -d` on the machine",
    };
  if (exitCode === 4 || /the following units failed/i.test(text)) {
    return { kind: "units", reason: `the system was switched, but units failed (${code})`, hint: "Look at `systemctl --failed` on the machine" };
  }
  if (exitCode === 2 || /Activation script snippet .* failed|Failed to run activate script/i.test(text)) {
    return {
      kind: "activation-script",
      reason: `the activation script failed (${code})`,
      hint: "The system may be half switched; the lines below are the end of its log",
    };
  }
  if (exitCode === 255 || exitCode > 128) return { kind: "killed", reason: `the activation was killed (${code})`, hint: "The system may be half switched" };
  return { kind: "other", reason: `nixos-rebuild failed (${code})`, hint: "The lines below are the end of its log" };
}
