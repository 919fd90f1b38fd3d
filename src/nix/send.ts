import type { CopyProgress } from "../domain/copy-progress.js";
import { outerReference, type SentFlake } from "../domain/flake.js";
import { field } from "../domain/json.js";
import { storePath } from "../domain/store-path.js";
import type { StartGate } from "../process/start-gate.js";
import { CopyWatch, runCopy } from "./copy-progress.js";

/** How the flake travels to one machine. */
export type SendOptions = {
  /** The machine's store, as `ssh-ng://web1`. */
  readonly store: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly checkSignatures: boolean;
  readonly extraArgs: readonly string[];
  readonly signal: AbortSignal | undefined;
  /** What the programs of all machines wait at before they begin. */
  readonly starts: StartGate;
  readonly onLine: (line: string) => void;
  /** Takes a function that returns the current progress of the copy. */
  readonly onBegin: (progress: () => CopyProgress) => void;
};

/** Builds the arguments that send a flake with all its inputs to the store of a machine: from the runner's store, where it can no longer change. */
export function archiveArguments(sent: Pick<SentFlake, "outer">, options: Pick<SendOptions, "store" | "checkSignatures" | "extraArgs">): string[] {
  const signatures = options.checkSignatures ? [] : ["--no-check-sigs"];
  return ["flake", "archive", "--json", "--no-update-lock-file", ...signatures, "--to", options.store, ...options.extraArgs, outerReference(sent)];
}

/**
 * Sends the flake with all its inputs to the store of a machine; paths that it already has are not copied. Returns what was
 * copied. The path that Nix prints is valid only with exit code 0. Throws a `CommandError`.
 */
export async function sendFlake(sent: Pick<SentFlake, "outer">, options: SendOptions): Promise<CopyProgress> {
  const watch = new CopyWatch();
  options.onBegin(() => watch.progress);
  const { stdout } = await runCopy(archiveArguments(sent, options), watch, options);
  const arrived = storePath(String(field(JSON.parse(stdout), "path")));
  if (arrived !== sent.outer) throw new Error(`nix flake archive sent ${arrived} where ${sent.outer} was expected`);
  return watch.progress;
}
