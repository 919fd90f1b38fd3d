import { createHash } from "node:crypto";

// A unit's name has at most 255 characters (systemd.unit(5)), and a file's 255 bytes.
const longestLabel = 60;
// Hexadecimal digits that keep two names apart that look alike without their special characters.
const digits = 8;

/**
 * Names a run of this action on one machine, for its directory, its roots and its units: `RUN-TARGET`. There is no further `-` in
 * it, so that a pattern for the units of one target never matches those of another whose name goes on after it; nor anything that
 * means something to a pattern, a shell or a path.
 */
export function nameOnMachine(run: string, target: string): string {
  const label = target.replaceAll(/[^A-Za-z0-9.]/g, "_").slice(0, longestLabel);
  const plain = label === target && !target.startsWith(".");
  return `${run}-${plain ? label : `${label}_${createHash("sha256").update(target).digest("hex").slice(0, digits)}`}`;
}
