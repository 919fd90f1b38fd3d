import { afterAll, afterEach, beforeAll, jest } from "@jest/globals";

import { hostResults } from "../host-results.js";
import { check, until } from "../rig/command.js";
import { writeFlake, type Behaviour } from "../rig/flake.js";
import { Fleet } from "../rig/fleet.js";
import type { Machine, MachineSpec } from "../rig/machine.js";
import type { Step, StepResult } from "../rig/runner.js";

/** What a machine runs, what its system profile is, and what its boot loader would boot. */
export type Systems = { readonly current: string; readonly profile: string | undefined; readonly boot: string };

/**
 * Whether every case has its control, and not only one case of a kind. A control deploys the case again without the protection and
 * repairs the machine, which takes longer than the case itself. True for `npm run test:matrix`.
 */
export const everyControl = Reflect.get(globalThis, "everyControl") === true;

/** Machines that must not be lost, and the deployments that endanger them. */
export class Trial {
  #fleet: Fleet | undefined;
  #flakes = 0;

  get fleet(): Fleet {
    if (this.#fleet === undefined) throw new Error("the machines are not booted");
    return this.#fleet;
  }

  /** Boots the machines. */
  async start(specs: readonly (MachineSpec | string)[]): Promise<void> {
    this.#fleet = await Fleet.start(specs);
  }

  machine(name = "web1"): Machine {
    return this.fleet.machine(name);
  }

  /** Writes a flake with one configuration, whose toplevel no other has. Returns its directory. */
  async flake(behaviour: Behaviour, name = "web1"): Promise<string> {
    this.#flakes += 1;
    return await writeFlake(`${this.fleet.directory}/flake-${this.#flakes}`, { [name]: { text: `number ${this.#flakes}`, ...behaviour } });
  }

  /** A directory as tar, to be unpacked on a machine. */
  async packed(directory: string): Promise<string> {
    return await check("tar", ["c", "-C", directory, "."]);
  }

  /** A step that deploys a flake to web1, as root and with short waits, unless the inputs say otherwise. */
  step(workspace: string, inputs: Readonly<Record<string, string>> = {}): Step {
    const access = { "ssh-key": this.fleet.key.secret, "ssh-known-hosts": this.fleet.knownHosts() };
    return {
      workspace,
      inputs: { ...access, targets: "root@web1", "confirm-timeout": "10", "connect-timeout": "5", "settle-time": "1", retries: "0", ...inputs },
    };
  }

  /** Deploys a flake with one configuration, and waits for the end. */
  async deploy(behaviour: Behaviour, inputs: Readonly<Record<string, string>> = {}, name = "web1"): Promise<StepResult> {
    const targets = `root@${name}`;
    return await this.fleet.runner.run(this.step(await this.flake(behaviour, name), { targets, ...inputs }));
  }

  /** Gives a machine a system that it can go back to. Throws with the log unless that is green. */
  async settle(behaviour: Behaviour = {}, name = "web1"): Promise<Systems> {
    const run = await this.deploy(behaviour, {}, name);
    if (run.exitCode !== 0) throw new Error(`the machine has no system to roll back to:\n${run.log}`);
    return await this.systems(name);
  }

  /** Asks the machine, not through ssh. */
  async systems(name = "web1"): Promise<Systems> {
    const machine = this.machine(name);
    return { current: await machine.currentSystem(), profile: await machine.systemProfile(), boot: await machine.bootEntry() };
  }

  /** Whether a machine is at these systems, so that nothing has to be repaired. */
  async isAt(systems: Systems, name = "web1"): Promise<boolean> {
    return JSON.stringify(await this.systems(name)) === JSON.stringify(systems);
  }

  /** Waits until a machine that nobody tells anything is back at its old systems. */
  async backAt(before: Systems, name = "web1"): Promise<void> {
    await until(`${name} to roll back by itself`, 60, async () => await this.isAt(before, name));
  }

  /** Waits until nothing of a run is active on the machine, and removes what is left there, as a run does that comes a day later. */
  async forget(name = "web1"): Promise<void> {
    const machine = this.machine(name);
    await until("the units of the run to end", 60, async () => {
      await machine.exec("systemctl stop 'nix-flake-deploy-*-lease.service'; systemctl reset-failed 'nix-flake-deploy-*'");
      return (await machine.output("systemctl list-units --all --no-legend 'nix-flake-deploy-*'")).trim() === "";
    });
    await machine.output("rm -rf /run/nix-flake-deploy /nix/var/nix/gcroots/nix-flake-deploy");
  }

  /** Fails when a run has left anything on a machine. */
  async requireNothingLeft(): Promise<void> {
    for (const machine of this.fleet.machines) {
      const left = await machine.leftovers();
      if (left.length > 0) throw new Error(`on ${machine.name}, a run has left ${left.join(", ")}`);
    }
  }

  /** Puts a machine back that a control has left damaged. */
  async repair({ profile, current }: Systems, name = "web1"): Promise<void> {
    await this.machine(name).exec(
      "systemctl kill --signal=KILL 'nix-flake-deploy-*-activate*' 'nixos-rebuild-switch-to-configuration*'; systemctl stop 'nix-flake-deploy-*' 'nixos-rebuild-switch-to-configuration*'; systemctl reset-failed; rm -rf /run/nix-flake-deploy /nix/var/nix/gcroots/nix-flake-deploy",
    );
    await this.machine(name).output(`nix-env -p /nix/var/nix/profiles/system --set ${profile ?? current}; ${current}/bin/switch-to-configuration switch`);
  }

  async stop(): Promise<void> {
    await this.#fleet?.stop();
  }
}

/**
 * Boots machines for the tests of a file, gives those that are named a system was found to roll back to, and fails each test that leaves
 * anything of a run on one of them.
 */
export function useTrial(specs: readonly (MachineSpec | string)[], settled: readonly string[] = ["web1"]): Trial {
  const trial = new Trial();
  jest.setTimeout(240_000);
  beforeAll(async () => {
    await trial.start(specs);
    await Promise.all(settled.map(async (name) => await trial.settle({}, name)));
  });
  afterAll(async () => {
    await trial.stop();
  });
  afterEach(async () => {
    await trial.requireNothingLeft();
  });
  return trial;
}

/** What the step says of its one machine, with its exit code as `exit`. */
export function verdictOf(run: StepResult): Readonly<Record<string, unknown>> {
  const [result] = hostResults(run).values();
  if (result === undefined) throw new Error(`no result:\n${run.log}`);
  return { exit: run.exitCode, ...result };
}
