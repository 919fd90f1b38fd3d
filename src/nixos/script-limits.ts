import type { ScriptName } from "./script-files.js";

/** Seconds until a script must have begun, behind whatever the login shell prints. */
export const beginSeconds = 60;

/** Seconds after which a script that follows a job is given up when it prints nothing. */
export const silentSeconds = 60;

/** Bytes of a script's answer; `compare.sh` has the longest: some 40,000 lines. */
export const longestAnswer = 4 * 1024 * 1024;

/**
 * Seconds that a script may take. Callers give their own to those that wait for as long as an input says; `follow.sh` ends with the
 * job that it follows.
 */
export function scriptSeconds(script: ScriptName): number {
  return others[script] ?? 60;
}

const others: Readonly<Partial<Record<ScriptName, number>>> = {
  finish: 30,
  compare: 45,
  difference: 45,
  daemon: 30,
  missing: 120,
  // A copy is limited by the input `timeout` alone.
  import: 0,
  unpack: 0,
};
