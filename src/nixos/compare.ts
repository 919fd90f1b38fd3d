import type { StorePath } from "../domain/store-path.js";
import type { HostLog, SystemDifference } from "../deploy/ports.js";
import { mostCompared, parseDifference } from "./difference.js";
import type { RemoteShell } from "./remote-shell.js";
import { lastLines } from "./session.js";

// For each of the four questions to the machine's Nix, and for all of them: a comparison is worth no longer wait.
const questionSeconds = 20;
const comparisonSeconds = 45;

/** Compares two systems of the machine's store. Never throws: `undefined`, and a note in the log, where they cannot be compared. */
export async function compareSystems(
  [before, after]: readonly [StorePath, StorePath],
  shell: RemoteShell,
  log: HostLog,
  signal: AbortSignal,
): Promise<SystemDifference | undefined> {
  const args = [before, after, String(questionSeconds), String(mostCompared)];
  try {
    // Not as what must come to its end: a connection that is lost here is noticed by what follows.
    const outcome = await shell.run({ script: "difference", args, privileged: false, signal, timeout: comparisonSeconds });
    if (outcome.kind === "lost") throw new Error("the connection was lost");
    if (outcome.exitCode !== 0) throw new Error(lastLines(outcome.stderr).at(-1) ?? `exit code ${outcome.exitCode}`);
    return parseDifference(outcome.stdout);
  } catch (error) {
    log.note(`the difference between the two systems cannot be told: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}
