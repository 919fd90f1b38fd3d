import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { Socket } from "node:net";
import path from "node:path";

import { asset } from "./checkout.js";
import { check } from "./command.js";
import { cache } from "./host.js";
import { claim, release } from "./owner.js";

const slots = 64;

/** A fleet's place on the host: its number stands in every name and address that it uses. */
export type Slot = {
  readonly number: number;
  readonly directory: string;
  /** Control group of all its processes. */
  readonly group: string;
  readonly bridge: string;
  /** Removes everything that the fleet has put on the host. */
  readonly sweep: () => Promise<void>;
};

/**
 * Takes a free slot, after sweeping what dead processes have left in theirs. A process beside this one sweeps the slot when
 * this one ends, however it ends.
 */
export async function takeSlot(): Promise<Slot> {
  for (let number = 0; number < slots; number += 1) {
    const names = namesOf(number);
    if (existsSync(names.directory) && claim(names.lock)) await sweep(names).finally(() => release(names.lock));
  }
  for (let number = 0; number < slots; number += 1) {
    const names = namesOf(number);
    if (!claim(names.lock)) continue;
    await sweep(names);
    mkdirSync(names.directory, { recursive: true });
    mkdirSync(names.group, { recursive: true });
    const reaper = startReaper(names);
    const end = async (): Promise<void> => {
      await sweep(names);
      reaper.stdin?.destroy();
      release(names.lock);
    };
    return { number, directory: names.directory, group: names.group, bridge: names.bridge, sweep: end };
  }
  throw new Error(`all ${slots} slots for fleets are taken`);
}

type Names = { readonly lock: string; readonly directory: string; readonly group: string; readonly bridge: string };

function namesOf(number: number): Names {
  const fleets = path.join(cache, "fleets");
  const name = `nfd${number}`;
  return { lock: path.join(fleets, `${name}.lock`), directory: path.join(fleets, name), group: path.join(controlGroups(), name), bridge: `${name}-br` };
}

async function sweep(names: Names): Promise<void> {
  await check("/bin/sh", [asset("sweep.sh"), names.directory, names.group, names.bridge]);
}

function startReaper(names: Names): ChildProcess {
  const child = spawn("/bin/sh", [asset("sweep.sh"), names.directory, names.group, names.bridge, "wait"], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  child.unref();
  // The pipe must not keep this process alive either.
  if (child.stdin instanceof Socket) child.stdin.unref();
  return child;
}

/** Root of the version 2 hierarchy of control groups, alone or beside version 1. */
export function controlGroups(): string {
  const root = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].find(
    (directory) => existsSync(path.join(directory, "cgroup.procs")) && existsSync(path.join(directory, "cgroup.controllers")),
  );
  if (root === undefined) throw new Error("this host has no version 2 control groups, which systemd in a machine needs");
  return root;
}
