import type { Compress } from "../domain/compress.js";
import type { CopyProgress } from "../domain/copy-progress.js";
import { briefReason, DeployError } from "../domain/errors.js";
import type { StorePath } from "../domain/store-path.js";
import type { HostLog } from "../deploy/ports.js";
import type { Pack } from "../nix/pack.js";
import { holdAtLeast } from "../nix/tree-size.js";
import type { CallScript } from "./job.js";
import { feedScript } from "./feed-script.js";
import { failedThere, missingPaths } from "./missing-paths.js";
import type { RemoteShell } from "./remote-shell.js";

export type PackedOptions = {
  readonly pack: Pack;
  /** Where the runner has the files of a store path; without it, there. */
  readonly fileOf?: ((path: StorePath) => string) | undefined;
  /** The run, as the machine has it. */
  readonly run: string;
  readonly compress: Compress;
  /** The machine imports as root, who needs no signatures. */
  readonly privileged: boolean;
  /** Has the machine download from its own binary caches what they have of these paths. */
  readonly download?: ((missing: readonly StorePath[]) => Promise<void>) | undefined;
  readonly shell: RemoteShell;
  readonly call: CallScript;
  readonly log: HostLog;
  readonly signal: AbortSignal;
};

/** What has travelled before a copy that finds nothing left to send. */
export const nothingSent: CopyProgress = { paths: 0, expectedPaths: 0, bytes: 0 };

// Less than this is sent as fast as the machine says what it lacks.
const worthwhileBytes = 2 ** 20;

/**
 * Sends what a machine lacks of these paths in one compressed archive. They are in the order in which they can be registered, and refer
 * to no other path. What cannot be sent so is left to the plain copy that follows, with a note. Throws only where the connection was
 * lost or the run was cancelled.
 */
export async function copyPacked(paths: readonly StorePath[], options: PackedOptions): Promise<CopyProgress> {
  const { compress, privileged, download, fileOf = (path) => path, call, log, signal } = options;
  if (compress === "false") return nothingSent;
  try {
    const isWorthwhile = async (some: readonly StorePath[]): Promise<boolean> => await isWorthPacking(some, compress, fileOf);
    if (!(await isWorthwhile(paths))) return nothingSent;
    let missing = await missingPaths(paths, call, privileged);
    if (download !== undefined && (await isWorthwhile(missing))) {
      await download(missing);
      missing = await missingPaths(missing, call, privileged);
    }
    return (await isWorthwhile(missing)) ? await send(missing, options) : nothingSent;
  } catch (error) {
    if (signal.aborted || error instanceof DeployError) throw error;
    log.note(`the compressed copy failed (${briefReason(error)}); copying without compression`);
    return nothingSent;
  }
}

/** Returns whether what a machine may lack of these paths is worth the question what it lacks. `fileOf`: where the runner has the files of a path. */
export async function isWorthPacking(paths: readonly StorePath[], compress: Compress, fileOf: (path: StorePath) => string = (path) => path): Promise<boolean> {
  if (compress === "false" || paths.length === 0) return false;
  return compress === "true" || (await holdAtLeast(paths.map(fileOf), worthwhileBytes));
}

async function send(missing: readonly StorePath[], { pack, run, privileged, shell, log, signal }: PackedOptions): Promise<CopyProgress> {
  const progress = { paths: missing.length, expectedPaths: missing.length };
  let bytes = (): number => 0;
  log.copying(() => ({ ...progress, bytes: bytes() }));
  const outcome = await feedScript(
    shell,
    { script: "unpack", args: [run, ...missing], privileged, signal },
    { write: async (stdin, own) => await pack.write(missing, stdin, own), onBegin: (written) => (bytes = written) },
  );
  if (outcome.kind === "lost") throw outcome.cause;
  if (outcome.exitCode !== 0) throw failedThere("nix copy --from", outcome);
  return { ...progress, bytes: bytes() };
}
