import type { CopyProgress } from "../domain/copy-progress.js";
import { CommandError } from "../domain/errors.js";
import type { StorePath } from "../domain/store-path.js";
import type { HostLog } from "../deploy/ports.js";
import { closureOf, exportPaths } from "../nix/export.js";
import { feedScript } from "./feed-script.js";
import type { CallScript } from "./job.js";
import { failedThere, missingPaths } from "./missing-paths.js";
import type { RemoteShell } from "./remote-shell.js";

export type ImportOptions = { readonly shell: RemoteShell; readonly call: CallScript; readonly log: HostLog; readonly signal: AbortSignal };

/** Tells whether a machine has refused a store path for want of a signature. */
export function wantsSignature(error: unknown): error is CommandError {
  return error instanceof CommandError && /lacks a (?:valid )?signature/.test(error.stderr);
}

/**
 * Imports store paths of the runner with everything that they refer to as root, who alone may without a signature. What the machine has
 * does not travel. Throws a `CommandError` where that fails, as one of Nix itself would.
 */
export async function importClosure(roots: readonly StorePath[], { shell, call, log, signal }: ImportOptions): Promise<CopyProgress> {
  const closure = await closureOf(roots, signal);
  const missing = await missingPaths(closure, call, true);
  const progress = { paths: missing.length, expectedPaths: missing.length };
  if (missing.length === 0) return { ...progress, bytes: 0 };
  log.note(`importing ${missing.length === 1 ? "1 path" : `${missing.length} paths`} as root, since Nix on the machine accepts none without a signature`);
  let bytes = (): number => 0;
  log.copying(() => ({ ...progress, bytes: bytes() }));
  const outcome = await feedScript(
    shell,
    { script: "import", args: [], privileged: true, signal },
    { write: async (stdin, own) => await exportPaths(missing, stdin, own), onBegin: (written) => (bytes = written) },
  );
  if (outcome.kind === "lost") throw outcome.cause;
  if (outcome.exitCode !== 0) throw failedThere("nix-store --import", outcome);
  return { ...progress, bytes: bytes() };
}
