import { CommandError } from "../domain/errors.js";
import { run } from "./run.js";

/**
 * Switches core dumps off for this process and its children: they could hold the ssh key. Node cannot set limits itself, so this
 * needs prlimit(1) of util-linux; without it nothing changes.
 */
export async function preventCoreDumps(): Promise<void> {
  try {
    await run({ file: "prlimit", args: ["--pid", String(process.pid), "--core=0:0"] }, { timeout: 5 });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
  }
}
