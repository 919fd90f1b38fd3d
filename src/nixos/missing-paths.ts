import { CommandError } from "../domain/errors.js";
import type { StorePath } from "../domain/store-path.js";
import type { CallScript } from "./job.js";

/** Returns which of these store paths a machine lacks, in their order. Throws a `CommandError` where its Nix cannot be asked. */
export async function missingPaths(paths: readonly StorePath[], call: CallScript, privileged: boolean): Promise<StorePath[]> {
  const asked = await call(() => ({ script: "missing", args: paths, privileged }), "copy");
  if (asked.exitCode !== 0) throw failedThere("nix-store --check-validity", asked);
  const answer = new Set(asked.stdout.split("\n"));
  return paths.filter((path) => answer.has(path));
}

/** The error of a command that has failed on the machine, as one of the runner's own would be. */
export function failedThere(command: string, { exitCode, stderr }: { readonly exitCode: number; readonly stderr: string }): CommandError {
  return new CommandError({ command, failure: { kind: "exit", exitCode }, stdout: "", stderr });
}
