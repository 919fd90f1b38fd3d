import type { Compress } from "../domain/compress.js";
import type { CopyProgress } from "../domain/copy-progress.js";
import { briefReason, DeployError } from "../domain/errors.js";
import type { StorePath } from "../domain/store-path.js";
import type { HostLog } from "../deploy/ports.js";
import type { Pack } from "../nix/pack.js";
import type { CallScript } from "./job.js";
import { feedScript } from "./feed-script.js";
import { failedThere, missingPaths } from "./missing-paths.js";
import type { RemoteShell } from "./remote-shell.js";

export type PackedOptions = {
  readonly pack: Pack;
  /** The run, as the machine has it. */
  readonly run: string;
  readonly compress: Compress;
  readonly shell: RemoteShell;
  readonly call: CallScript;
  readonly log: HostLog;
  readonly signal: AbortSignal;
};

/** What has travelled before a copy that finds nothing left to send. */
const nothingSent: CopyProgress = { paths: 0, expectedPaths: 0, bytes: 0 };

// Less than this is sent as fast as the machine says what it lacks.
const worthwhileBytes = 2 ** 20;

/**
 * Sends the source trees that a machine lacks in one compressed archive. What cannot be sent so is left to the plain copy that follows,
 * with a note. Throws only where the connection was lost or the run was cancelled.
 */
export async function copyPacked(sources: readonly StorePath[], options: PackedOptions): Promise<CopyProgress> {
  const { pack, compress, call, log, signal } = options;
  if (compress === "false") return nothingSent;
  try {
    const sizes = await pack.sizesOf(sources, signal);
    const isWorthwhile = (some: ReadonlySet<StorePath>): boolean =>
      some.size > 0 && (compress === "true" || sources.reduce((sum, path, index) => sum + (some.has(path) ? (sizes[index] ?? 0) : 0), 0) >= worthwhileBytes);
    if (!isWorthwhile(new Set(sources))) return nothingSent;
    const missing = await missingPaths(sources, call, false);
    return isWorthwhile(new Set(missing)) ? await send(missing, options) : nothingSent;
  } catch (error) {
    if (signal.aborted || error instanceof DeployError) throw error;
    log.note(`the compressed copy failed (${briefReason(error)}); copying without compression`);
    return nothingSent;
  }
}

async function send(missing: readonly StorePath[], { pack, run, shell, log, signal }: PackedOptions): Promise<CopyProgress> {
  const progress = { paths: missing.length, expectedPaths: missing.length };
  let bytes = (): number => 0;
  log.copying(() => ({ ...progress, bytes: bytes() }));
  const outcome = await feedScript(
    shell,
    { script: "unpack", args: [run, ...missing], privileged: false, signal },
    { write: async (stdin, own) => await pack.write(missing, stdin, own), onBegin: (written) => (bytes = written) },
  );
  if (outcome.kind === "lost") throw outcome.cause;
  if (outcome.exitCode !== 0) throw failedThere("nix copy --from", outcome);
  return { ...progress, bytes: bytes() };
}
