import { mkdirSync, readFileSync, rmSync, writeFileSync, linkSync } from "node:fs";
import path from "node:path";

// A process is the same one only when it also began at the same time: numbers are given again.
function beginning(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

/** Takes a lock file for this process, also from a dead process. Returns false when a living one has it. */
export function claim(file: string): boolean {
  mkdirSync(path.dirname(file), { recursive: true });
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, `${process.pid} ${beginning(process.pid)}`);
  try {
    for (let tries = 0; tries < 2; tries += 1) {
      try {
        linkSync(mine, file);
        return true;
      } catch {
        if (isClaimed(file)) return false;
        rmSync(file, { force: true });
      }
    }
    return false;
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Whether a living process has the lock file. */
function isClaimed(file: string): boolean {
  try {
    const [pid, began] = readFileSync(file, "utf8").split(" ");
    return began !== undefined && beginning(Number(pid)) === began;
  } catch {
    return false;
  }
}

/** Gives a lock file up. */
export function release(file: string): void {
  rmSync(file, { force: true });
}
