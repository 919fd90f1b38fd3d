import type { Writable } from "node:stream";

import type { RemoteShell, ScriptCall, ScriptOutcome } from "./remote-shell.js";

/**
 * Runs a script that reads what `write` writes, and ends that with the script: nobody reads what is still written then. Throws what
 * `write` throws before that, and as `RemoteShell.run`. `onBegin` takes a function that returns how many bytes were taken.
 */
export async function feedScript(
  shell: RemoteShell,
  call: Omit<ScriptCall, "input"> & { readonly signal: AbortSignal },
  { write, onBegin }: { readonly write: (stdin: Writable, signal: AbortSignal) => Promise<void>; readonly onBegin: (bytes: () => number) => void },
): Promise<ScriptOutcome> {
  const ended = new AbortController();
  try {
    return await shell.run({
      ...call,
      input: async (stdin) => {
        onBegin(() => ("bytesWritten" in stdin ? Number(stdin.bytesWritten) : 0));
        await write(stdin, AbortSignal.any([call.signal, ended.signal])).catch((error: unknown) => {
          if (!ended.signal.aborted) throw error;
        });
      },
    });
  } finally {
    ended.abort();
  }
}
