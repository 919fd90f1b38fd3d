import { DeployError } from "../domain/errors.js";
import type { ActivationFailure } from "../deploy/ports.js";

/** A run of nixos-rebuild that did not end with 0. */
export type RebuildFailure = {
  readonly exitCode: number;
  readonly configuration: string;
  /** The last lines that it printed. */
  readonly lines: readonly string[];
};

type Explanation = { readonly reason: string; readonly hint?: string };

const noSpace = /No space left on device|disk is full/i;

/**
 * Tells apart what `nixos-rebuild build` has one exit code for: a configuration that is not there, one that does not evaluate,
 * and a system that does not build. `known` are the configurations of the flake, where they can be told.
 */
export function buildError(failure: RebuildFailure, known: readonly string[] | undefined): DeployError {
  const { reason, hint } = explainBuild(failure, known);
  return new DeployError({ phase: "build", reason, hint, lines: failure.lines, exitCode: failure.exitCode });
}

/** Tells whether the flake has no such configuration. */
export function isMissingConfiguration(failure: Pick<RebuildFailure, "configuration" | "lines">): boolean {
  const attribute = failure.configuration.replaceAll(/[^\w-]/g, (character) => `\\${character}`);
  const missing = new RegExp(
    `does not provide attribute .*nixosConfigurations|attribute '"?${attribute}"?' missing|does not have attribute .*nixosConfigurations`,
  );
  return failure.lines.some((line) => missing.test(line));
}

function explainBuild(failure: RebuildFailure, known: readonly string[] | undefined): Explanation {
  const { configuration, exitCode } = failure;
  const text = failure.lines.join("\n");
  if (isMissingConfiguration(failure) && known?.includes(configuration) !== true) {
    const names = known === undefined ? "" : known.length === 0 ? "; it has none" : `; it has ${known.join(", ")}`;
    return { reason: `the flake has no nixosConfigurations.${configuration}${names}`, hint: "Write the configuration behind the target: host#configuration" };
  }
  if (noSpace.test(text))
    return { reason: `no space is left on the machine to build ${configuration}`, hint: "Free some with `nix-collect-garbage -d` on the machine" };
  if (/unable to (?:load seccomp|set up)|cannot connect to (?:socket|daemon)/i.test(text)) {
    return { reason: `the machine's Nix does not work (exit code ${exitCode})`, hint: "Is nix-daemon running there?" };
  }
  if (
    /^error: (?:builder for|Cannot build|build of|\d+ dependenc\w+ of derivation|.*failed to build|unable to download)|hash mismatch in fixed-output|^error: .*Reason: (?:builder failed|\d+ dependenc)/im.test(
      text,
    )
  ) {
    return {
      reason: `the system of ${configuration} does not build (exit code ${exitCode})`,
      hint: "Nothing has changed on the machine. The build's log is in this host's group",
    };
  }
  if (/killed|out of memory|Cannot allocate memory/i.test(text))
    return { reason: `the build of ${configuration} was killed (exit code ${exitCode})`, hint: "Has the machine run out of memory?" };
  if (exitCode === 2 || /unknown option|unrecognized arguments/i.test(text)) {
    if (/unknown option|unrecognized arguments/i.test(text))
      return { reason: `nixos-rebuild on the machine does not know an argument (exit code ${exitCode})`, hint: "Look at rebuild-args" };
  }
  return { reason: `the configuration ${configuration} does not evaluate (exit code ${exitCode})`, hint: "Nothing has changed on the machine" };
}

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
