import { cpSync, existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import path from "node:path";

import type { Fleet } from "../rig/fleet.js";
import type { Machine } from "../rig/machine.js";
import type { RunningStep, Step } from "../rig/runner.js";
import type { FaultName } from "./cells.js";
import { free, letGo } from "./holds.js";

/** Where a fault strikes. */
export type Scene = { readonly fleet: Fleet; readonly machine: Machine; readonly going: RunningStep };

/** Something that goes wrong in the middle of a run. */
export type Fault = {
  /** What the run needs for it. */
  readonly inputs?: Readonly<Record<string, string>>;
  readonly env?: Step["env"];
  /** Before the run is started. */
  readonly prepare?: (fleet: Fleet, machine: Machine) => Promise<void>;
  /** Makes the fault, and lets the machine go on. */
  readonly inject: (scene: Scene) => Promise<void>;
  /** Ends a fault that is still there when the run has ended. */
  readonly undo?: (fleet: Fleet, machine: Machine) => Promise<void>;
  /** Whether the action is gone before it can report anything. */
  readonly silent?: boolean;
};

const kill = async ({ fleet, going }: Scene): Promise<void> => {
  going.signal("SIGKILL");
  await going.finished;
  await fleet.runner.endJob();
};

const crash = async (machine: Machine): Promise<void> => {
  await machine.crash();
  free(machine);
  await machine.boot();
};

const signalled = (signal: NodeJS.Signals): Fault => ({
  inject: async ({ going, machine }) => {
    going.signal(signal);
    await letGo(machine);
  },
});

// A file system of its own over RUNNER_TEMP of the runner, as seen there.
const smallTemp = "/home/runner/small";

const profiles = "/nix/var/nix/profiles";
const kept = "/var/tmp/kept-profiles";

// libfaketime, of the Debian package faketime.
const library = "usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
const preloaded = "/opt/libfaketimeMT.so.1";
const clock = "/etc/faketimerc";
const preload = "/etc/ld.so.preload";
const unpreloaded = "/etc/systemd/system/user@.service.d";

export const faults: Readonly<Record<FaultName, Fault>> = {
  kill: {
    silent: true,
    inject: async (scene) => {
      await kill(scene);
      await letGo(scene.machine);
    },
  },
  interrupt: signalled("SIGINT"),
  "interrupt-twice": {
    inject: async ({ going, machine }) => {
      going.signal("SIGINT");
      await going.waitFor(/Cancelled by SIGINT/);
      if (going.running()) going.signal("SIGINT");
      await letGo(machine);
    },
  },
  terminate: signalled("SIGTERM"),
  "runner-temp-full": {
    env: { RUNNER_TEMP: smallTemp },
    prepare: async ({ runner }) => {
      await must(runner, `mkdir -p ${smallTemp} && mount -t tmpfs -o size=8m tmpfs ${smallTemp}`);
    },
    inject: async ({ fleet, machine }) => {
      await fleet.runner.exec(`dd if=/dev/zero of=${smallTemp}/fill bs=4k`);
      await letGo(machine);
    },
    undo: async ({ runner }) => {
      await must(runner, `umount ${smallTemp}`);
    },
  },
  "clock-runner": {
    env: { LD_PRELOAD: preloaded, FAKETIME_TIMESTAMP_FILE: clock, FAKETIME_CACHE_DURATION: "1", DONT_FAKE_MONOTONIC: "1" },
    prepare: async ({ runner }) => {
      putLibrary(runner.root);
      await must(runner, `echo +0 >${clock}`);
    },
    inject: async ({ fleet, machine }) => {
      await must(fleet.runner, `echo +1d >${clock}`);
      // For the processes that are there: they read the file once a second.
      await sleep(1500);
      await letGo(machine);
    },
  },
  "network-5s": {
    inject: async ({ machine }) => {
      await machine.cutOff();
      await letGo(machine);
      await sleep(5000);
      await machine.restore();
    },
  },
  "network-lost": {
    inputs: { timeout: "40" },
    inject: async ({ machine, going }) => {
      await machine.cutOff();
      await letGo(machine);
      await going.finished;
    },
    undo: async (_, machine) => await machine.restore(),
  },
  sshd: {
    inject: async ({ machine }) => {
      await machine.output("systemctl stop ssh; pkill -KILL -f '[s]shd-session' || true");
      await letGo(machine);
      await sleep(3000);
      await machine.output("systemctl start ssh");
    },
  },
  "nix-daemon": {
    // A user who is not root builds and receives through the daemon.
    inputs: { targets: "deploy@web1" },
    inject: async ({ machine }) => {
      await machine.exec("pkill -KILL -f '[n]ix-daemon'");
      await letGo(machine);
    },
    // The unit that was killed is failed until it is used again.
    undo: async (_, machine) => {
      await machine.exec("systemctl reset-failed nix-daemon.service");
    },
  },
  "run-full": {
    inject: async ({ machine }) => {
      await machine.output(
        "mount -o remount,size=$(df --output=used -k /run | tail -n 1 | tr -d ' ')k /run; dd if=/dev/zero of=/run/fill bs=4k 2>/dev/null || true",
      );
      await letGo(machine);
    },
    undo: async (_, machine) => {
      await machine.exec("rm -f /run/fill; mount -o remount,size=20% /run");
    },
  },
  "profiles-full": {
    inject: async ({ machine }) => {
      await machine.output(
        `rm -rf ${kept}; cp -a ${profiles} ${kept}; mount -t tmpfs -o nr_inodes=$(($(find ${profiles} | wc -l) + 1)),size=4m tmpfs ${profiles}; cp -a ${kept}/. ${profiles}/`,
      );
      await letGo(machine);
    },
    // What was changed there since is kept.
    undo: async (_, machine) => {
      await machine.exec(
        `! mountpoint -q ${profiles} || { rm -rf ${kept}; cp -a ${profiles} ${kept}; umount ${profiles}; rm -rf ${profiles}; cp -a ${kept} ${profiles}; }`,
      );
    },
  },
  reboot: { inject: async ({ machine }) => await crash(machine) },
  "reboot-lost": {
    silent: true,
    inject: async (scene) => {
      await kill(scene);
      await crash(scene.machine);
    },
  },
  "clock-machine": {
    prepare: async (_, machine) => {
      putLibrary(machine.root);
      await machine.output(`echo +1d >${clock}`);
      // The library keeps a manager of a user from starting, and a switch has each start again: they do not see it.
      await machine.output(
        `touch ${preload}; mkdir -p ${unpreloaded}; printf '[Service]\\nBindReadOnlyPaths=/dev/null:${preload}\\n' >${unpreloaded}/real-time.conf; systemctl daemon-reload; systemctl try-restart 'user@*.service'`,
      );
    },
    inject: async ({ machine }) => {
      // Each process that begins from now on has the new time.
      await machine.output(`echo ${preloaded} >${preload}`);
      await letGo(machine);
    },
    undo: async (_, machine) => {
      await machine.output(`: >${preload}`);
    },
  },
};

function putLibrary(root: string): void {
  if (!existsSync(path.join(root, preloaded))) cpSync(path.join("/", library), path.join(root, preloaded), { recursive: true, dereference: true });
}

async function must(runner: Fleet["runner"], script: string): Promise<void> {
  const { code, stderr } = await runner.exec(script);
  if (code !== 0) throw new Error(`on the runner, ${script} exited with ${code}: ${stderr}`);
}
