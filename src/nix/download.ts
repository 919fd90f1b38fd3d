import { CommandError } from "../domain/errors.js";
import { lastLines } from "../domain/lines.js";
import type { StorePath } from "../domain/store-path.js";
import { runNixStore } from "./nix-command.js";

/** Builds the call of Nix that downloads a store path with everything that it refers to, and builds nothing. The same on runner and machine. */
export function downloadArguments(path: StorePath): string[] {
  return ["--realise", path];
}

/** Parses a line that Nix prints when it begins to download a path: `copying path '/nix/store/…' from 'https://cache.example.org'...` */
export function isDownload(line: string): boolean {
  return /^copying path '.*' from '.*'\.\.\.$/.test(line);
}

/**
 * Downloads a path into the runner's store from the binary caches of its nix.conf, unless it is there. Returns the last lines of Nix
 * where that fails. Throws a `CommandError` for an abort.
 */
export async function downloadHere(
  path: StorePath,
  options: { readonly signal: AbortSignal; readonly onLine: (line: string) => void },
): Promise<readonly string[] | undefined> {
  try {
    await runNixStore(downloadArguments(path), { signal: options.signal, onStderrLine: options.onLine });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommandError) || (error.failure.kind !== "exit" && error.failure.kind !== "signal")) throw error;
    return lastLines(error.stderr);
  }
}
