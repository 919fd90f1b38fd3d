import { setTimeout as sleep } from "node:timers/promises";

import { lastLines } from "../domain/lines.js";
import type { HostLog } from "../deploy/ports.js";
import type { CallScript } from "./job.js";
import type { ScriptCall } from "./remote-shell.js";

const pauseMilliseconds = 1000;
// For the machine's own time-out of the command, which is what normally ends it.
const spareSeconds = 30;

/**
 * Runs a command on the machine, as the deploy user, until it exits with 0. Returns `undefined` then, and its last
 * output when it has not within that many seconds.
 */
export async function checkHealth(command: string, seconds: number, call: CallScript, log: HostLog, signal: AbortSignal): Promise<string | undefined> {
  const deadline = performance.now() + seconds * 1000;
  for (let tries = 1; ; tries += 1) {
    const left = Math.max(1, Math.ceil((deadline - performance.now()) / 1000));
    const script: ScriptCall = { script: "health", args: [String(left), command], privileged: false, timeout: left + spareSeconds, leavesProcesses: true };
    const end = await call(() => script, "confirm");
    if (end.exitCode === 0) return undefined;
    const said = lastLines(end.stdout).join("\n");
    if (tries === 1) log.note(`the health check failed (exit code ${end.exitCode}); trying again`);
    if (performance.now() + pauseMilliseconds >= deadline) return `exit code ${end.exitCode} at attempt ${tries}${said === "" ? "" : `:\n${said}`}`;
    await sleep(pauseMilliseconds, undefined, { signal });
  }
}
