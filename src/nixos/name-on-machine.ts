import { createHash } from "node:crypto";

// A unit's name has at most 255 characters (systemd.unit(5)), and a file's 255 bytes.
const longestLabel = 60;
// Hexadecimal digits that distinguish two names that are equal without their special characters.
const digits = 8;

/**
 * Names a run of this action on one machine, for its directory, its roots and its units: `RUN-TARGET`. It contains no other
 * `-`, so that a pattern for the units of one target never matches those of another whose name begins with it, and nothing with a
 * meaning in a pattern, a shell or a path.
 */
export function nameOnMachine(run: string, target: string): string {
  const label = target.replaceAll(/[^A-Za-z0-9.]/g, "_").slice(0, longestLabel);
  const plain = label === target && !target.startsWith(".");
  return `${run}-${plain ? label : `${label}_${createHash("sha256").update(target).digest("hex").slice(0, digits)}`}`;
}
