import { renderBytes } from "../domain/bytes.js";
import { DeployError } from "../domain/errors.js";
import type { Topic } from "../domain/topic.js";
import type { BuildFailures } from "../nix/build-log.js";
import { evaluationMessage, missingFile } from "../nix/evaluation-message.js";
import { renderBuildFailures } from "../nix/failed-derivations.js";

/** A run of nixos-rebuild that did not end with 0. */
export type RebuildFailure = {
  readonly exitCode: number;
  readonly configuration: string;
  /** Whether it had to evaluate the configuration first. */
  readonly evaluates?: boolean | undefined;
  /** The last lines that it printed. */
  readonly lines: readonly string[];
  /** The failed derivations in its whole output. */
  readonly failures?: BuildFailures | undefined;
};

/** What is known about flake and machine beside the output, where it is known. */
export type BuildContext = {
  /** The flake's configurations. */
  readonly configurations?: readonly string[] | undefined;
  /** The configuration needs this file, which is in the work tree on the runner but not tracked by Git. */
  readonly untrackedFile?: string | undefined;
  /** Name and version of the machine's Nix. */
  readonly nix?: string | undefined;
  /** Available memory of the machine before the build, in kibibytes. */
  readonly memoryKibibytes?: number | undefined;
};

type Explanation = { readonly reason: string; readonly hint: string; readonly lines?: readonly string[]; readonly topic?: Topic };
type Explain = (failure: RebuildFailure, text: string, context: BuildContext) => Explanation | undefined;

const noSpace = /No space left on device|disk is full/i;
const unchanged = "Nothing has changed on the machine";

/**
 * Distinguishes failures for which `nixos-rebuild build` has the same exit code: a configuration that is missing, one that does not evaluate, a
 * system that does not build, and a machine whose Nix or memory fails.
 */
export function buildError(failure: RebuildFailure, context: BuildContext = {}): DeployError {
  const logs = failure.failures?.failed.flatMap(({ log }) => log) ?? [];
  const text = [...logs, ...failure.lines].join("\n");
  const found = explanations.map((explain) => explain(failure, text, context)).find((explanation) => explanation !== undefined);
  const { reason, hint, lines = failure.lines, topic } = found ?? doesNotEvaluate(failure);
  return new DeployError({ phase: "build", reason, hint, lines, exitCode: failure.exitCode, topic });
}

/** Returns whether the flake has no such configuration. */
export function isMissingConfiguration(failure: Pick<RebuildFailure, "configuration" | "lines">): boolean {
  const attribute = failure.configuration.replaceAll(/[^\w-]/g, (character) => `\\${character}`);
  const missing = new RegExp(
    `does not provide attribute .*nixosConfigurations|attribute '"?${attribute}"?' missing|does not have attribute .*nixosConfigurations`,
  );
  return failure.lines.some((line) => missing.test(line));
}

/** The file of the flake, relative to its root, that the evaluation did not find; `undefined` where that is not what failed. */
export function fileNotFound({ lines }: Pick<RebuildFailure, "lines">): string | undefined {
  return missingFile(lines.join("\n"));
}

const explanations: readonly Explain[] = [
  missingConfiguration,
  fullDisk,
  brokenNix,
  readOnlyHome,
  killedBuilder,
  failedDerivations,
  failedDownload,
  killed,
  unknownArgument,
  unreadableLock,
  dirtyRevision,
  untrackedFile,
];

function missingConfiguration(failure: RebuildFailure, _: string, { configurations: known }: BuildContext): Explanation | undefined {
  const { configuration } = failure;
  if (!isMissingConfiguration(failure) || known?.includes(configuration) === true) return undefined;
  const names = known === undefined ? "" : known.length === 0 ? "; it defines none" : `; it defines ${known.join(", ")}`;
  return {
    reason: `the flake has no nixosConfigurations.${configuration}${names}`,
    hint: "Add the configuration to the target: host#configuration",
    topic: "attribute-missing",
  };
}

function fullDisk({ configuration }: RebuildFailure, text: string): Explanation | undefined {
  if (!noSpace.test(text)) return undefined;
  return {
    reason: `no space is left on the machine to build ${configuration}`,
    hint: "Free space with `nix-collect-garbage -d` on the machine",
    topic: "no-space",
  };
}

function brokenNix({ exitCode }: RebuildFailure, text: string): Explanation | undefined {
  const reason = (why: string): string => `${why} (exit code ${exitCode})`;
  if (/cannot connect to (?:socket|daemon)/i.test(text))
    return {
      reason: reason("nix-daemon does not answer on the machine"),
      hint: "Start it with `systemctl start nix-daemon.socket` on the machine; its journal shows why it stopped",
      topic: "nix-daemon",
    };
  if (/cannot open connection to remote store 'daemon'/.test(text)) {
    return {
      reason: reason("nix-daemon on the machine closed the connection"),
      hint: "`journalctl -u nix-daemon` on the machine shows why; a user who is not in nix.settings.allowed-users is refused this way",
      topic: "nix-daemon",
    };
  }
  if (/unable to (?:load seccomp|set up)/i.test(text))
    return { reason: reason("Nix on the machine cannot set up its build sandbox"), hint: "See the output of Nix below" };
  return undefined;
}

function readOnlyHome({ exitCode }: RebuildFailure, text: string): Explanation | undefined {
  // The second message is that for an existing cache.
  const cache =
    /["'](\/[^"']*\/\.cache[^"']*)["']: Read-only file system/.exec(text)?.[1] ??
    /unable to open database file.*\(in '(\/[^']*\/\.cache\/[^']*)'\)/.exec(text)?.[1];
  if (cache === undefined) return undefined;
  return {
    reason: `Nix on the machine cannot write to its cache ${cache} (exit code ${exitCode})`,
    hint: `Make the home directory writable for the user who builds, or mount a writable file system at ${cache.replace(/\/\.cache.*/, "/.cache")}`,
    topic: "nix-cache",
  };
}

function killedBuilder(failure: RebuildFailure, _: string, context: BuildContext): Explanation | undefined {
  const { failures, configuration, exitCode } = failure;
  const rendered = failures === undefined ? undefined : renderBuildFailures(failures);
  if (rendered === undefined || failures?.failed.some(({ reason }) => /signal 9\b/.test(reason)) !== true) return undefined;
  return {
    reason: `the build of ${configuration} failed (exit code ${exitCode}): ${rendered.clause}`,
    hint: memoryHint(context),
    topic: "killed",
    lines: rendered.lines,
  };
}

function failedDerivations({ failures, configuration, exitCode }: RebuildFailure): Explanation | undefined {
  const rendered = failures === undefined ? undefined : renderBuildFailures(failures);
  if (rendered === undefined) return undefined;
  return {
    reason: `the build of ${configuration} failed (exit code ${exitCode}): ${rendered.clause}`,
    hint: `${unchanged}. The end of the build log is below; run the command under it on the machine to see all of it`,
    topic: "build-failed",
    lines: rendered.lines,
  };
}

function failedDownload({ configuration, exitCode }: RebuildFailure, text: string): Explanation | undefined {
  if (
    !/^[ \t]*error: (?:unable to download|.*Reason: (?:builder failed|\d+ dependenc)|.*failed to build|path '.*' does not exist and cannot be created)/im.test(
      text,
    )
  )
    return undefined;
  return {
    reason: `the build of ${configuration} failed (exit code ${exitCode})`,
    hint: `${unchanged}. The build log is in the log group of this host`,
    topic: "build-failed",
  };
}

/** What bash, Python and Nix itself print for a process that the kernel has killed, or that could not get memory. */
function killed({ configuration, exitCode }: RebuildFailure, text: string, context: BuildContext): Explanation | undefined {
  const signalled = exitCode === 137 || exitCode === 247 || /died with <Signals\.SIGKILL: 9>|\bline \d+: +\d+ Killed\b/.test(text);
  if (!signalled && !/^[ \t]*error: (?:out of memory|.*Cannot allocate memory)|std::bad_alloc/m.test(text)) return undefined;
  const what = signalled ? "was killed" : "ran out of memory";
  return { reason: `the evaluation or build of ${configuration} ${what} (exit code ${exitCode})`, hint: memoryHint(context), topic: "killed" };
}

function memoryHint({ memoryKibibytes }: BuildContext): string {
  const available = memoryKibibytes === undefined ? "" : ` (${renderBytes(memoryKibibytes * 1024)} were available before the build)`;
  return `Linux kills processes when memory runs out${available}. To check, run \`journalctl -k --grep 'Out of memory'\` on the machine. Give the machine more memory or swap, or have the runner do the work (evaluate-on: runner, or build-on: runner). ${unchanged}`;
}

function unknownArgument({ exitCode }: RebuildFailure, text: string): Explanation | undefined {
  if (!/unknown option|unrecognized arguments/i.test(text)) return undefined;
  return { reason: `nixos-rebuild on the machine does not support an argument (exit code ${exitCode})`, hint: "Check rebuild-args", topic: "argument-unknown" };
}

/** An input that a newer Nix, or another implementation, has written into the lock file. */
function unreadableLock({ configuration, exitCode }: RebuildFailure, text: string, { nix }: BuildContext): Explanation | undefined {
  const line =
    /^[ \t]*error: (lock ?file contains (?:mutable lock|unlocked input).*|unsupported \w+ input attribute '\w+'.*|cannot fetch unsupported input '.*')$/im.exec(
      text,
    )?.[1];
  if (line === undefined) return undefined;
  const what = nix === undefined ? "Nix on the machine" : `Nix on the machine (${nix})`;
  return {
    reason: `the configuration ${configuration} does not evaluate (exit code ${exitCode}): ${what} cannot read an entry of flake.lock: ${line}`,
    topic: "lock-file-unreadable",
    hint: `Update Nix on the machine, or write flake.lock with the oldest Nix that has to read it. ${unchanged}`,
    lines: evaluationMessage(text),
  };
}

function dirtyRevision({ configuration, exitCode }: RebuildFailure, text: string): Explanation | undefined {
  const attribute = /attribute '(dirtyShortRev|dirtyRev)' missing/.exec(text)?.[1];
  if (attribute === undefined) return undefined;
  const plain = attribute === "dirtyRev" ? "rev" : "shortRev";
  return {
    reason: `the configuration ${configuration} does not evaluate on the machine (exit code ${exitCode}): self.${attribute} is not available there, because Nix cannot pass it to another machine`,
    hint: `Commit all changes before the deployment, or write \`self.${plain} or self.${attribute} or "dirty"\` in the flake`,
    lines: evaluationMessage(text),
  };
}

function untrackedFile({ configuration, exitCode }: RebuildFailure, text: string, { untrackedFile: file }: BuildContext): Explanation | undefined {
  if (file === undefined) return undefined;
  return {
    reason: `the configuration ${configuration} does not evaluate (exit code ${exitCode}): ${file} exists on the runner but is not tracked by Git, so it is not part of the flake`,
    topic: "file-untracked",
    hint: `Run \`git add ${file}\`, commit it, and deploy again`,
    lines: evaluationMessage(text),
  };
}

function doesNotEvaluate({ configuration, exitCode, lines, evaluates = true }: RebuildFailure): Explanation {
  if (!evaluates) return { reason: `the system of ${configuration} does not build (exit code ${exitCode})`, hint: unchanged };
  const message = evaluationMessage(lines.join("\n"));
  return {
    reason: `the configuration ${configuration} does not evaluate (exit code ${exitCode})`,
    hint: unchanged,
    topic: "build-failed",
    lines: message.length === 0 ? lines : message,
  };
}
