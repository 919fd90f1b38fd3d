import { DeployError } from "../domain/errors.js";

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
