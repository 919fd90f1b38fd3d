import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What the processes of one run have used on the runner. */
export type Usage = {
  readonly cpuSeconds: number;
  /** With the page cache; `undefined` where the kernel does not count it. */ readonly megabytes: number | undefined;
};

/** Finds the root of a hierarchy of control groups by a file that each of its groups has. */
function hierarchy(candidates: readonly string[], file: string): string | undefined {
  return candidates.find((directory) => existsSync(join(directory, file)));
}

/** A control group for each run, so that its children and what they leave behind count as well. */
export class UsageGroup {
  readonly #groups: readonly string[];
  readonly #homes: readonly string[];
  readonly #cpu: string;
  readonly #memory: string | undefined;

  constructor(name: string) {
    const unified = hierarchy(["/sys/fs/cgroup", "/sys/fs/cgroup/unified"], "cgroup.controllers");
    if (unified === undefined) throw new Error("this host has no version 2 control groups");
    const group = join(unified, name);
    mkdirSync(group, { recursive: true });
    this.#cpu = join(group, "cpu.stat");
    const peak = join(group, "memory.peak");
    // Beside version 1, its memory controller counts.
    const former = existsSync(peak) ? undefined : hierarchy(["/sys/fs/cgroup/memory"], "memory.max_usage_in_bytes");
    const formerGroup = former === undefined ? undefined : join(former, name);
    if (formerGroup !== undefined) mkdirSync(formerGroup, { recursive: true });
    this.#memory = existsSync(peak) ? peak : formerGroup === undefined ? undefined : join(formerGroup, "memory.max_usage_in_bytes");
    this.#groups = [group, ...(formerGroup === undefined ? [] : [formerGroup])];
    const own = readFileSync("/proc/self/cgroup", "utf8");
    const place = (pattern: RegExp): string => pattern.exec(own)?.[1] ?? "/";
    this.#homes = [join(unified, place(/^0::(.*)$/m)), ...(former === undefined ? [] : [join(former, place(/^\d+:memory:(.*)$/m))])];
  }

  /** Starts something: its processes, and all that they start, belong to the group. This process is in it only meanwhile. */
  start<T>(begin: () => T): T {
    for (const group of this.#groups) writeFileSync(join(group, "cgroup.procs"), String(process.pid));
    try {
      return begin();
    } finally {
      for (const home of this.#homes) writeFileSync(join(home, "cgroup.procs"), String(process.pid));
    }
  }

  /** Returns what was used so far. */
  used(): Usage {
    const microseconds = Number(/^usage_usec (\d+)$/m.exec(readFileSync(this.#cpu, "utf8"))?.[1]);
    const bytes = this.#memory === undefined ? undefined : Number(readFileSync(this.#memory, "utf8"));
    return { cpuSeconds: microseconds / 1e6, megabytes: bytes === undefined ? undefined : bytes / 1e6 };
  }

  /** Removes the group, once its processes have ended. */
  async remove(): Promise<void> {
    for (const group of this.#groups) {
      for (let tries = 0; existsSync(group); tries += 1) {
        try {
          rmdirSync(group);
        } catch (error) {
          if (tries > 100) throw error;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    }
  }
}
