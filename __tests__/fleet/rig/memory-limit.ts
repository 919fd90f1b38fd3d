import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

// Where the memory controller of version 1 is; sweep.sh removes the groups in it.
const versionOne = "/sys/fs/cgroup/memory";

/**
 * Limits the memory of a version 2 control group and of all below it, in MiB, its file systems in memory included. Returns the directory
 * of the control group that the processes have to join for that: another one where the host has the controller in version 1.
 */
export function limitMemory(group: string, mebibytes: number): string {
  const limit = String(mebibytes * 2 ** 20);
  if (existsSync(path.join(versionOne, "memory.limit_in_bytes"))) {
    const own = path.join(versionOne, path.basename(group));
    mkdirSync(own, { recursive: true });
    writeFileSync(path.join(own, "memory.limit_in_bytes"), limit);
    return own;
  }
  // Each parent hands the controller on to its children.
  const parent = path.dirname(group);
  for (const above of [path.dirname(parent), parent]) {
    const file = path.join(above, "cgroup.subtree_control");
    if (!readFileSync(file, "utf8").split(/\s+/).includes("memory")) writeFileSync(file, "+memory");
  }
  writeFileSync(path.join(group, "memory.max"), limit);
  // Nothing is killed while the host can swap.
  writeFileSync(path.join(group, "memory.swap.max"), "0");
  return group;
}
