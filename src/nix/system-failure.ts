import { outputOf } from "../domain/configuration.js";
import { makeFailure, type Failure } from "../domain/failure.js";
import { shownLines } from "../domain/lines.js";
import type { FailedBuild } from "./build-systems.js";
import { renderBuildFailures } from "./failed-derivations.js";
import type { Platforms } from "./platforms.js";
import type { NoSystem } from "./systems.js";

const outcome = "Nothing has changed on the machine";

/** Explains why the runner has no system for a configuration. */
export function evaluationFailure(configuration: string, why: NoSystem): Failure {
  if (why.kind === "missing") {
    const { configurations } = why;
    const names = configurations.length === 0 ? "it has none" : `it has ${configurations.join(", ")}`;
    const inFlake = outputOf(configuration);
    const reason = `the flake has no ${inFlake}; ${names}`;
    return makeFailure({ phase: "build", reason, hint: "Write the configuration behind the target: host#configuration", outcome });
  }
  if (why.kind === "foreign") {
    const reason = `${configuration}.profiles.system.path is ${why.contains}, which contains no system of NixOS, or more than one`;
    return makeFailure({ phase: "build", reason, hint: "Use deploy-rs' activate.nixos with one configuration, or leave the node out with select", outcome });
  }
  const which = why.together === 1 ? `the configuration ${configuration}` : `one of ${why.together} configurations, ${configuration} or another,`;
  // Nix's message is at the beginning.
  return makeFailure({ phase: "build", reason: `${which} does not evaluate on the runner`, outcome, lines: why.lines.slice(0, shownLines) });
}

/** Explains why a system did not build on the runner. `elsewhere`: what to do to have it built by its machine. */
export function buildFailure(configuration: string, { exitCode, failures, lines }: FailedBuild, elsewhere: string): Failure {
  const text = [...failures.failed.flatMap(({ log }) => log), ...lines].join("\n");
  const rendered = renderBuildFailures(failures);
  const code = exitCode === undefined ? "" : ` (exit code ${exitCode})`;
  const reason = `the system of ${configuration} does not build on the runner${code}${rendered === undefined ? "" : `: ${rendered.clause}`}`;
  const parts = { phase: "build", outcome, exitCode, lines: rendered?.lines ?? lines } as const;
  if (/No space left on device|disk is full/i.test(text)) {
    return makeFailure({
      ...parts,
      reason: `no space is left on the runner to build ${configuration}`,
      hint: `Free some, or ${elsewhere}`,
    });
  }
  if (failures.failed.some((one) => /signal 9\b/.test(one.reason))) {
    const hint = `Linux kills a process when memory runs out. Use a runner with more memory or fewer builds at a time (--max-jobs in build-args), or ${elsewhere}`;
    return makeFailure({ ...parts, reason, hint });
  }
  return makeFailure({ ...parts, reason, hint: "The end of the build's log is below; the command under it shows all of it on the runner" });
}

/** Refuses a platform that neither the runner nor one of its builders builds for; `undefined` where one does, or that is not known. */
export function platformFailure(configuration: string, platform: string | undefined, known: Platforms | undefined, elsewhere: string): Failure | undefined {
  // What Nix itself does, without a program: downloads.
  if (platform === undefined || known === undefined || platform === "builtin" || known.has(platform)) return undefined;
  return makeFailure({
    phase: "build",
    reason: `the system of ${configuration} is for ${platform}, which the runner cannot build for; it builds for ${[...known].join(", ")}`,
    hint: `Give the runner a builder for ${platform} (\`builders\` in its nix.conf) or an emulator (binfmt_misc, and extra-platforms in its nix.conf), or ${elsewhere}`,
    outcome,
  });
}
