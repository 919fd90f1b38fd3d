import { showBytes } from "../domain/bytes.js";
import { DeployError } from "../domain/errors.js";
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
  /** What its whole output says about derivations. */
  readonly failures?: BuildFailures | undefined;
};

/** What is known about flake and machine beside the output, where it is known. */
export type BuildContext = {
  /** The flake's configurations. */
  readonly configurations?: readonly string[] | undefined;
  /** The configuration wants this file, which is in the work tree on the runner and not in Git. */
  readonly untrackedFile?: string | undefined;
  /** What the machine's Nix calls itself. */
  readonly nix?: string | undefined;
  /** Available memory of the machine before the build, in kibibytes. */
  readonly memoryKibibytes?: number | undefined;
};

type Explanation = { readonly reason: string; readonly hint: string; readonly lines?: readonly string[] };
type Explain = (failure: RebuildFailure, text: string, context: BuildContext) => Explanation | undefined;

const noSpace = /No space left on device|disk is full/i;
const unchanged = "Nothing has changed on the machine";

/**
 * Tells apart what `nixos-rebuild build` has one exit code for: a configuration that is missing, one that does not evaluate, a
 * system that does not build, and a machine whose Nix or memory fails.
 */
export function buildError(failure: RebuildFailure, context: BuildContext = {}): DeployError {
  const logs = failure.failures?.failed.flatMap(({ log }) => log) ?? [];
  const text = [...logs, ...failure.lines].join("\n");
  const found = explanations.map((explain) => explain(failure, text, context)).find((explanation) => explanation !== undefined);
  const { reason, hint, lines = failure.lines } = found ?? doesNotEvaluate(failure);
  return new DeployError({ phase: "build", reason, hint, lines, exitCode: failure.exitCode });
}

/** Tells whether the flake has no such configuration. */
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
  const names = known === undefined ? "" : known.length === 0 ? "; it has none" : `; it has ${known.join(", ")}`;
  return { reason: `the flake has no nixosConfigurations.${configuration}${names}`, hint: "Write the configuration behind the target: host#configuration" };
}

function fullDisk({ configuration }: RebuildFailure, text: string): Explanation | undefined {
  if (!noSpace.test(text)) return undefined;
  return { reason: `no space is left on the machine to build ${configuration}`, hint: "Free some with `nix-collect-garbage -d` on the machine" };
}

function brokenNix({ exitCode }: RebuildFailure, text: string): Explanation | undefined {
  const reason = (why: string): string => `${why} (exit code ${exitCode})`;
  if (/cannot connect to (?:socket|daemon)/i.test(text))
    return {
      reason: reason("nix-daemon does not answer on the machine"),
      hint: "Start it there: `systemctl start nix-daemon.socket`; its journal says why it stopped",
    };
  if (/cannot open connection to remote store 'daemon'/.test(text)) {
    return {
      reason: reason("nix-daemon on the machine closed the connection"),
      hint: "`journalctl -u nix-daemon` there says why; a user who is not in nix.settings.allowed-users is refused like this",
    };
  }
  if (/unable to (?:load seccomp|set up)/i.test(text))
    return { reason: reason("Nix on the machine cannot set up its build sandbox"), hint: "The lines below are Nix's own" };
  return undefined;
}

function readOnlyHome({ exitCode }: RebuildFailure, text: string): Explanation | undefined {
  // The second wording is the one of a cache that is there already.
  const cache =
    /["'](\/[^"']*\/\.cache[^"']*)["']: Read-only file system/.exec(text)?.[1] ??
    /unable to open database file.*\(in '(\/[^']*\/\.cache\/[^']*)'\)/.exec(text)?.[1];
  if (cache === undefined) return undefined;
  return {
    reason: `Nix on the machine cannot write to its cache ${cache} (exit code ${exitCode})`,
    hint: `Is the home directory read-only? Make it writable for the user who builds, or mount a writable file system at ${cache.replace(/\/\.cache.*/, "/.cache")}`,
  };
}

function killedBuilder(failure: RebuildFailure, _: string, context: BuildContext): Explanation | undefined {
  const { failures, configuration, exitCode } = failure;
  const rendered = failures === undefined ? undefined : renderBuildFailures(failures);
  if (rendered === undefined || failures?.failed.some(({ reason }) => /signal 9\b/.test(reason)) !== true) return undefined;
  return {
    reason: `the system of ${configuration} does not build (exit code ${exitCode}): ${rendered.clause}`,
    hint: memoryHint(context),
    lines: rendered.lines,
  };
}

function failedDerivations({ failures, configuration, exitCode }: RebuildFailure): Explanation | undefined {
  const rendered = failures === undefined ? undefined : renderBuildFailures(failures);
  if (rendered === undefined) return undefined;
  return {
    reason: `the system of ${configuration} does not build (exit code ${exitCode}): ${rendered.clause}`,
    hint: `${unchanged}. The end of the build's log is below; the command under it shows all of it on the machine`,
    lines: rendered.lines,
  };
}

function failedDownload({ configuration, exitCode }: RebuildFailure, text: string): Explanation | undefined {
  if (
    !/^\s*error: (?:unable to download|.*Reason: (?:builder failed|\d+ dependenc)|.*failed to build|path '.*' does not exist and cannot be created)/im.test(
      text,
    )
  )
    return undefined;
  return { reason: `the system of ${configuration} does not build (exit code ${exitCode})`, hint: `${unchanged}. The build's log is in this host's group` };
}

/** What bash, Python and Nix itself print for a process that the kernel has killed, or that could not get memory. */
function killed({ configuration, exitCode }: RebuildFailure, text: string, context: BuildContext): Explanation | undefined {
  const signalled = exitCode === 137 || exitCode === 247 || /died with <Signals\.SIGKILL: 9>|\bline \d+: +\d+ Killed\b/.test(text);
  if (!signalled && !/^\s*error: (?:out of memory|.*Cannot allocate memory)|std::bad_alloc/m.test(text)) return undefined;
  const what = signalled ? "was killed" : "ran out of memory";
  return { reason: `the evaluation or build of ${configuration} ${what} (exit code ${exitCode})`, hint: memoryHint(context) };
}

function memoryHint({ memoryKibibytes }: BuildContext): string {
  const available = memoryKibibytes === undefined ? "" : `: ${showBytes(memoryKibibytes * 1024)} were available before the build`;
  return `Linux kills a process when memory runs out${available}; \`journalctl -k --grep 'Out of memory'\` on the machine shows it. Give the machine more memory or swap, or have the runner do that work (evaluate-on: runner, build-on: runner). ${unchanged}`;
}

function unknownArgument({ exitCode }: RebuildFailure, text: string): Explanation | undefined {
  if (!/unknown option|unrecognized arguments/i.test(text)) return undefined;
  return { reason: `nixos-rebuild on the machine does not know an argument (exit code ${exitCode})`, hint: "Look at rebuild-args" };
}

/** An input that a newer Nix, or another implementation, has written into the lock file. */
function unreadableLock({ configuration, exitCode }: RebuildFailure, text: string, { nix }: BuildContext): Explanation | undefined {
  const line =
    /^\s*error: (lock ?file contains (?:mutable lock|unlocked input).*|unsupported \w+ input attribute '\w+'.*|cannot fetch unsupported input '.*'|input '.*' is unsupported.*)$/im.exec(
      text,
    )?.[1];
  if (line === undefined) return undefined;
  const what = nix === undefined ? "Nix on the machine" : `Nix on the machine (${nix})`;
  return {
    reason: `the configuration ${configuration} does not evaluate (exit code ${exitCode}): ${what} cannot read an entry of flake.lock: ${line}`,
    hint: `Update Nix on the machine, or write flake.lock with the oldest Nix that has to read it. ${unchanged}`,
    lines: evaluationMessage(text),
  };
}

function dirtyRevision({ configuration, exitCode }: RebuildFailure, text: string): Explanation | undefined {
  const attribute = /attribute '(dirtyShortRev|dirtyRev)' missing/.exec(text)?.[1];
  if (attribute === undefined) return undefined;
  const plain = attribute === "dirtyRev" ? "rev" : "shortRev";
  return {
    reason: `the configuration ${configuration} does not evaluate on the machine (exit code ${exitCode}): self.${attribute} is not available there, since Nix has no reference that carries it to another machine`,
    hint: `Commit all changes before the deployment, or write \`self.${plain} or self.${attribute} or "dirty"\` in the flake`,
    lines: evaluationMessage(text),
  };
}

function untrackedFile({ configuration, exitCode }: RebuildFailure, text: string, { untrackedFile: file }: BuildContext): Explanation | undefined {
  if (file === undefined) return undefined;
  return {
    reason: `the configuration ${configuration} does not evaluate (exit code ${exitCode}): ${file} is in the work tree on the runner and not in Git, and a flake has only the files that Git tracks`,
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
    lines: message.length === 0 ? lines : message,
  };
}
