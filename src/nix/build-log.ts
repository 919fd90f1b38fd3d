/** A derivation that failed itself: its own builder or download failed, not a dependency. */
export type FailedDerivation = {
  /** Store path of the `.drv`. */
  readonly path: string;
  /** Nix's own reason without its full stop, for example `builder failed with exit code 1`. */
  readonly reason: string;
  /** The last lines of its log. */
  readonly log: readonly string[];
};

/** What the output of a build says about failures. */
export type BuildFailures = {
  readonly failed: readonly FailedDerivation[];
  /** How many more failed themselves. */
  readonly more: number;
  /** How many were not built because a derivation that they depend on failed. */
  readonly dependents: number;
};

// With `--keep-going` hundreds may fail.
const mostFailed = 5;
const keptLines = 20;
// Builders whose streamed lines (`--print-build-logs`) are kept at a time.
const mostStreams = 64;

const derivation = String.raw`'(/nix/store/[^']+\.drv)'`;
// Nix 2.29 and newer; the reason is in the next line.
const cannotBuild = new RegExp(`^\\s*error: Cannot build ${derivation}`);
const reasonLine = /^\s*Reason: (.*?)\.?$/;
// Nix up to 2.28.
const builderFailed = new RegExp(`^\\s*error: (?:build of .* failed: )?(?:error: )?builder for ${derivation} (failed .*?);?$`);
const dependencyFailed = new RegExp(`^\\s*error: \\d+ dependenc\\w+ of derivation ${derivation} failed to build`);
// All versions.
const others: readonly (readonly [RegExp, (match: RegExpExecArray) => string])[] = [
  [new RegExp(`^\\s*error: (hash mismatch) in fixed-output derivation ${derivation}`), () => "hash mismatch of a fixed-output derivation"],
  [
    new RegExp(`^\\s*error: (a '[^']*' with features .*) is required to build ${derivation}, but I am (.*)$`),
    (match) => `${match[1]} is required, but the machine is ${match[3]}`,
  ],
  [new RegExp(`^\\s*error: (some substitutes) for the outputs of derivation ${derivation} failed`), () => "its download from a binary cache failed"],
  [new RegExp(`^\\s*error: (building of) ${derivation}.* (timed out after .*)$`), (match) => String(match[3])],
];

/**
 * Collects from the output of `nix build` which derivations failed themselves. On a real NixOS the cause is far above the
 * end: every derivation that depends on it is listed after it, with all its output paths.
 *
 *     error: Cannot build '/nix/store/…-bash-5.2.tar.gz.drv'.
 *            Reason: builder failed with exit code 1.
 *            Output paths:
 *              /nix/store/…-bash-5.2.tar.gz
 *            Last 4 log lines:
 *            > error: …
 *            For full logs, run:
 *              nix log /nix/store/…-bash-5.2.tar.gz.drv
 *     error: Cannot build '/nix/store/…-bash-5.2p26.drv'.
 *            Reason: 1 dependency failed.
 *
 * Up to Nix 2.28 it is `builder for '….drv' failed with exit code 1;`, with `last 10 log lines:` below, and
 * `1 dependencies of derivation '….drv' failed to build`.
 */
export class BuildLogReader {
  readonly #kept: number;
  readonly #failed = new Map<string, { reason: string; log: string[] }>();
  readonly #more = new Set<string>();
  readonly #dependents = new Set<string>();
  readonly #streams = new Map<string, string[]>();
  /** The derivation whose `Reason:` comes next. */
  #unexplained: string | undefined;
  /** The log of the failure that is being read. */
  #log: string[] | undefined;

  /** Keeps the logs of that many failures. */
  constructor(kept = mostFailed) {
    this.#kept = kept;
  }

  /** Reads the next line. */
  read(line: string): void {
    if (this.#readHeading(line)) return;
    const reason = this.#unexplained === undefined ? undefined : reasonLine.exec(line)?.[1];
    if (reason !== undefined) return this.#explain(reason);
    const logged = /^\s+>(?: (.*))?$/.exec(line) ?? /^\s+((?:specified|got|Required|Current)\b.*:.*)$/.exec(line);
    if (logged !== null) this.#log?.push(logged[1] ?? "");
    const streamed = /^([\w+.?=-]+)> (.*)$/.exec(line);
    if (streamed !== null) this.#stream(streamed[1] ?? "", streamed[2] ?? "");
  }

  /** What has failed so far. */
  get failures(): BuildFailures {
    return this.#failuresIn(() => true);
  }

  /** What has failed so far of some derivations: the logs of at most five. */
  failuresOf(derivations: ReadonlySet<string>): BuildFailures {
    const { failed, more, dependents } = this.#failuresIn((path) => derivations.has(path));
    return { failed: failed.slice(0, mostFailed), more: more + Math.max(0, failed.length - mostFailed), dependents };
  }

  #failuresIn(isMeant: (path: string) => boolean): BuildFailures {
    const failed = [...this.#failed]
      .filter(([path]) => isMeant(path))
      .map(([path, { reason, log }]) => ({
        path,
        reason,
        log: (log.length > 0 ? log : (this.#streams.get(streamName(path)) ?? [])).slice(-keptLines),
      }));
    const count = (paths: ReadonlySet<string>): number => [...paths].filter(isMeant).length;
    return { failed, more: count(this.#more), dependents: count(this.#dependents) };
  }

  #readHeading(line: string): boolean {
    if (!line.includes("error: ")) return false;
    const path = cannotBuild.exec(line)?.[1];
    if (path !== undefined) {
      this.#unexplained = path;
      this.#log = undefined;
      return true;
    }
    const dependent = dependencyFailed.exec(line)?.[1];
    if (dependent !== undefined) {
      this.#dependents.add(dependent);
      this.#log = undefined;
      return true;
    }
    const own = builderFailed.exec(line);
    if (own !== null) {
      this.#add(String(own[1]), `builder ${own[2]}`);
      return true;
    }
    for (const [pattern, describe] of others) {
      const match = pattern.exec(line);
      if (match === null) continue;
      this.#add(String(match[2]), describe(match));
      return true;
    }
    return false;
  }

  #explain(reason: string): void {
    const path = this.#unexplained ?? "";
    this.#unexplained = undefined;
    if (/^\d+ dependenc\w+ failed/.test(reason)) this.#dependents.add(path);
    else this.#add(path, reason);
  }

  #add(path: string, reason: string): void {
    this.#log = undefined;
    if (this.#failed.has(path) || this.#more.has(path)) return;
    if (this.#failed.size === this.#kept) {
      this.#more.add(path);
      return;
    }
    this.#log = [];
    this.#failed.set(path, { reason, log: this.#log });
  }

  #stream(name: string, text: string): void {
    const lines = this.#streams.get(name) ?? [];
    // Moves it to the end: the first stream is the one without output for the longest time.
    this.#streams.delete(name);
    this.#streams.set(name, lines);
    if (lines.push(text) > keptLines) lines.shift();
    const [oldest] = this.#streams.keys();
    if (this.#streams.size > mostStreams && oldest !== undefined) this.#streams.delete(oldest);
  }
}

// With --print-build-logs a line begins with the name without its version, as `builtins.parseDrvName` splits it.
function streamName(path: string): string {
  return derivationName(path).replace(/-(?![a-zA-Z]).*$/, "");
}

/** The name of a derivation without hash and `.drv`: `bash-5.2.tar.gz`. */
export function derivationName(path: string): string {
  return path.replace(/^\/nix\/store\/[^-]*-/, "").replace(/\.drv$/, "");
}
