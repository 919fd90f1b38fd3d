import { mkdirSync } from "node:fs";
import path from "node:path";

import { check } from "./command.js";
import { prepareHost } from "./host.js";
import { Machine, type MachineSpec } from "./machine.js";
import { createNetwork, type Network } from "./network.js";
import { rootFileSystem, type Suite } from "./root-file-system.js";
import { Runner, type RunnerSpec } from "./runner.js";
import { type Slot, takeSlot } from "./slot.js";
import { createSshKey, type SshKey } from "./ssh-key.js";

/** Booted machines on a network of their own, and a runner that reaches them. */
export class Fleet {
  readonly machines: readonly Machine[];
  readonly runner: Runner;
  readonly network: Network;
  /** The key that every user of every machine accepts. */
  readonly key: SshKey;
  /** A directory for a test's own files, seen by the runner at the same path; gone with the fleet. */
  readonly directory: string;
  readonly #slot: Slot;
  #runners = 0;

  private constructor(slot: Slot, network: Network, key: SshKey, machines: readonly Machine[], runner: Runner, directory: string) {
    this.#slot = slot;
    this.network = network;
    this.key = key;
    this.machines = machines;
    this.runner = runner;
    this.directory = directory;
  }

  /** Boots machines side by side, and a runner. What fails on the way removes everything. */
  static async start(specs: readonly (MachineSpec | string)[], options: { readonly runner?: RunnerSpec } = {}): Promise<Fleet> {
    await prepareHost();
    const runnerSuite = options.runner?.suite ?? "forky";
    const machineSpecs = specs.map((spec) => (typeof spec === "string" ? { name: spec } : spec));
    const suites = [...new Set<Suite>([runnerSuite, ...machineSpecs.map((spec) => spec.suite ?? "forky")])];
    const roots = new Map(await Promise.all(suites.map(async (suite) => [suite, await rootFileSystem(suite)] as const)));
    const rootOf = (suite: Suite): string => roots.get(suite) ?? "";

    const slot = await takeSlot();
    try {
      const disk = path.join(slot.directory, "disk");
      mkdirSync(disk);
      await check("mount", ["-t", "tmpfs", "-o", "size=75%,mode=755", "tmpfs", disk]);
      const directory = path.join(disk, "work");
      mkdirSync(directory);
      const [network, key] = await Promise.all([createNetwork(slot.bridge, slot.number), createSshKey({ comment: "deploy" })]);
      const machines = await Promise.all(
        machineSpecs.map(async (spec, index) => {
          const id = `nfd${slot.number}-${index}`;
          return await Machine.create(spec, {
            directory: path.join(disk, id),
            group: path.join(slot.group, id),
            id,
            host: 10 + index,
            network,
            rootFileSystem: rootOf(spec.suite ?? "forky"),
            authorizedKeys: key.public,
          });
        }),
      );
      const hosts = machines.map((machine) => `${machine.ipv4} ${machine.name}\n`).join("");
      const runner = Runner.start(options.runner ?? {}, {
        number: 0,
        directory: path.join(disk, "runner"),
        workDirectory: directory,
        group: path.join(slot.group, "runner"),
        rootFileSystem: rootOf(runnerSuite),
        hosts,
      });
      const boots = machines.map(async (machine) => {
        await machine.boot();
        await machine.install();
      });
      const [started] = await Promise.all([runner, ...boots]);
      return new Fleet(slot, network, key, machines, started, directory);
    } catch (error) {
      await slot.sweep();
      throw error;
    }
  }

  /** Starts one more runner beside the first, with a store of its own. It ends with the fleet. */
  async addRunner(spec: RunnerSpec): Promise<Runner> {
    const rootOfSuite = await rootFileSystem(spec.suite ?? "forky");
    this.#runners += 1;
    const name = `runner-${this.#runners}`;
    return await Runner.start(spec, {
      number: this.#runners,
      directory: path.join(this.#slot.directory, "disk", name),
      workDirectory: this.directory,
      group: path.join(this.#slot.group, name),
      rootFileSystem: rootOfSuite,
      hosts: this.machines.map((machine) => `${machine.ipv4} ${machine.name}\n`).join(""),
    });
  }

  /** The machine of that name. */
  machine(name: string): Machine {
    const found = this.machines.find((machine) => machine.name === name);
    if (found === undefined) throw new Error(`no machine ${name} in this fleet`);
    return found;
  }

  /** known_hosts with the keys of all machines. */
  knownHosts(): string {
    return this.machines.map((machine) => machine.hostKeyLine()).join("");
  }

  /** Ends the fleet and removes all that it has put on this host. May be called twice. */
  async stop(): Promise<void> {
    await this.#slot.sweep();
  }
}
