import { describe, expect, test } from "@jest/globals";

import { makeFailure } from "../../../src/domain/failure.js";
import { InputError } from "../../../src/domain/errors.js";
import type { Choice, Inventory, InventoryEntry } from "../../../src/domain/inventory.js";
import { parseSelection } from "../../../src/domain/selection.js";
import { withDefaults, type NamedTarget, type Target } from "../../../src/domain/target.js";
import { machinesOfDeployment, type MachinesOfDeployment, type WantedMachines } from "../../../src/machines/of-deployment.js";
import type { DeploymentPorts } from "../../../src/machines/ports.js";
import { hiveNode, makeSentFlake, makeStorePath, nixos } from "../domain/make.js";
import { rejection } from "../failure-of.js";

const defaults = { user: "root", port: 22 };

function named(host: string, configuration = nixos(host)): NamedTarget {
  return { name: host, host, user: undefined, port: undefined, configuration };
}

function machine(name: string, host = name, configuration = nixos(name)): InventoryEntry {
  return { kind: "machine", name, request: { host, configuration }, system: undefined, tags: undefined, buildOn: "auto", ignored: [] };
}

/** Finds machines over ports that note the order of what is done. */
async function find(
  wanted: Partial<WantedMachines>,
  overrides: Partial<DeploymentPorts> & { readonly entries?: readonly InventoryEntry[] } = {},
): Promise<MachinesOfDeployment & { readonly events: readonly string[]; readonly choices: readonly Choice[] }> {
  const events: string[] = [];
  const choices: Choice[] = [];
  const { entries = [], ...ports } = overrides;
  const found = await machinesOfDeployment(
    { targets: [], selection: [], operation: "switch", places: { buildOn: "auto", evaluateOn: "auto" }, systems: undefined, ...wanted },
    {
      fetchFlake: async () => {
        events.push("fetch");
        return await Promise.resolve({
          wrap: async (hive) => {
            events.push(hive ? "wrap with hive" : "wrap");
            return await Promise.resolve({ ...makeSentFlake(), hive });
          },
        });
      },
      readInventory: async () => {
        events.push("inventory");
        return await Promise.resolve({ names: entries.map(({ name }) => name), entries });
      },
      makeSystems: async (_, systems) => {
        events.push(`make ${systems.map(({ name, way }) => `${name} ${way}`).join(", ")}`);
        const made = { derivation: makeStorePath("x.drv"), toplevel: makeStorePath("x") };
        return await Promise.resolve({ systems: new Map(systems.map(({ name }) => [name, made])), failed: new Map() });
      },
      requireSystems: (systems) => {
        events.push(`require ${[...systems.keys()].join(", ")}`);
      },
      prepareSsh: async () => {
        events.push("ssh");
        await Promise.resolve();
      },
      locate: async (targets) => {
        events.push("locate");
        return await Promise.resolve(targets.map((target) => withDefaults(target, defaults)));
      },
      announce: (choice) => choices.push(choice),
      ...ports,
    },
  );
  return { ...found, events, choices };
}

const namesOf = (targets: readonly Target[]): string[] => targets.map(({ name }) => name);

describe("explicit targets", () => {
  test("are located without the flake, which is fetched meanwhile", async () => {
    const { targets, flake, failed, events } = await find({ targets: [named("web1"), named("db1")] });
    expect(namesOf(targets)).toEqual(["web1", "db1"]);
    expect(failed).toEqual([]);
    expect(await flake).toMatchObject({ hive: false });
    expect(events.slice(0, 2)).toEqual(["ssh", "locate"]);
  });

  test("need no flake for a rollback", async () => {
    const { flake, events } = await find({ targets: [named("web1")], operation: "rollback" });
    expect(flake).toBeUndefined();
    expect(events).not.toContain("fetch");
  });

  test("that are nodes of a hive get the hive", async () => {
    const { flake } = await find({ targets: [named("web1", hiveNode("web1"))] });
    expect(await flake).toMatchObject({ hive: true });
  });

  test("in the same place are an input error", async () => {
    const error = await rejection(InputError, find({ targets: [named("web1"), { ...named("web2"), host: "WEB1" }] }));
    expect(error.problems).toMatchObject([{ input: "targets" }]);
  });

  test("are not waited for where the flake cannot be fetched", async () => {
    const { flake } = await find({ targets: [named("web1")] }, { fetchFlake: async () => await Promise.reject(new Error("no network")) });
    await expect(flake).rejects.toThrow("no network");
  });
});

describe("machines of the flake", () => {
  test("are evaluated before the ssh key is on the runner", async () => {
    const { targets, events } = await find({}, { entries: [machine("web1"), machine("db1")] });
    expect(namesOf(targets)).toEqual(["db1", "web1"]);
    expect(events.indexOf("ssh")).toBeGreaterThan(events.indexOf("inventory"));
  });

  test("in the same place are unusable, and the others are deployed", async () => {
    const { targets, failed, choices } = await find({}, { entries: [machine("a", "10.0.0.1"), machine("b", "10.0.0.1"), machine("c")] });
    expect(namesOf(targets)).toEqual(["c"]);
    expect(failed.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(choices).toMatchObject([{ machines: [{ name: "c" }], unusable: [{ name: "a" }, { name: "b" }] }]);
  });

  test("whose options of ssh are not accepted are unusable, and an explicit target is refused", async () => {
    const locate: DeploymentPorts["locate"] = async (targets) =>
      await Promise.resolve(targets.map((target) => (target.name === "a" ? { name: "a", problem: "not these options" } : withDefaults(target, defaults))));
    const { targets, failed, choices } = await find({}, { entries: [machine("a"), machine("c")], locate });
    expect(namesOf(targets)).toEqual(["c"]);
    expect(failed).toMatchObject([{ name: "a", status: "failed", error: { topic: "ssh-options-unsupported" } }]);
    expect(choices).toMatchObject([{ unusable: [{ name: "a", error: "unsupported deployment settings in the flake: not these options" }] }]);
    const error = await rejection(InputError, find({ targets: [named("a"), named("c")] }, { locate }));
    expect(error.problems).toEqual([{ input: "targets", problem: "a: not these options" }]);
  });

  test("get the hive where one is a node of it, and the plain flake otherwise", async () => {
    const plain = await find({}, { entries: [machine("web1")] });
    expect(await plain.flake).toMatchObject({ hive: false });
    const hive = await find({}, { entries: [machine("web1", "web1", hiveNode("web1"))] });
    expect(await hive.flake).toMatchObject({ hive: true });
  });

  test("need a selection where the flake forbids deploying all, unless they are only built", async () => {
    const readInventory = async (): Promise<Inventory> => await Promise.resolve({ names: ["web1"], entries: [machine("web1")], needsSelection: true });
    for (const operation of ["switch", "boot", "test", "dry-activate"] as const) {
      const error = await rejection(InputError, find({ operation }, { readInventory }));
      expect(error.problems).toMatchObject([{ input: "select", topic: "apply-all-forbidden" }]);
    }
    expect(namesOf((await find({ operation: "build" }, { readInventory })).targets)).toEqual(["web1"]);
    expect(namesOf((await find({ selection: parseSelection("*") }, { readInventory })).targets)).toEqual(["web1"]);
  });

  test("are found through the flake for a rollback, which sends none", async () => {
    const { targets, flake } = await find({ operation: "rollback" }, { entries: [machine("web1")] });
    expect(namesOf(targets)).toEqual(["web1"]);
    expect(flake).toBeUndefined();
  });
});

describe("systems that the runner evaluates", () => {
  const runner = { buildOn: "runner", evaluateOn: "auto" } as const;

  test("are made before the ssh key is on the runner", async () => {
    const { wanted, events } = await find({ targets: [named("web1"), { ...named("web2"), buildOn: "runner" }] });
    const made = events.indexOf("make web1 rebuilt-there, web2 built-here");
    expect(made).toBeGreaterThan(-1);
    expect(events.indexOf("ssh")).toBeGreaterThan(made);
    expect(wanted.get("web2")).toEqual({ name: "web2", configuration: "web2", way: "built-here" });
    const hive = await find({ targets: [named("web1", hiveNode("web1"))], places: runner });
    expect(hive.events).toContain("wrap with hive");
  });

  test("are those of which the flake of a matrix says so, unless an input decides", async () => {
    const targets = [{ ...named("web1"), flakeBuildOn: "runner" } as const];
    expect((await find({ targets })).wanted.get("web1")).toMatchObject({ way: "built-here" });
    const places = { buildOn: "target", evaluateOn: "auto" } as const;
    expect((await find({ targets, places })).wanted.get("web1")).toMatchObject({ way: "rebuilt-there" });
  });

  test("are those of which the flake says so, or the inputs", async () => {
    const entries: InventoryEntry[] = ["a", "b"].map((name) => ({
      kind: "machine",
      name,
      request: { host: name, configuration: nixos(name) },
      system: undefined,
      tags: undefined,
      buildOn: name === "a" ? "runner" : "target",
      ignored: [],
    }));
    const { events } = await find({}, { entries });
    expect(events).toContain("make a built-here, b rebuilt-there");
    expect((await find({ places: { buildOn: "target", evaluateOn: "auto" } }, { entries })).made).toBeUndefined();
    expect((await find({ places: { buildOn: "target", evaluateOn: "runner" } }, { entries })).events).toContain("make a realised-there, b realised-there");
  });

  test("that fail have a result, and their machines are not worked on", async () => {
    const failure = makeFailure({ phase: "build", reason: "the system of web1 does not build on the runner" });
    const makeSystems: DeploymentPorts["makeSystems"] = async () => await Promise.resolve({ systems: new Map(), failed: new Map([["web1", failure]]) });
    const { targets, failed } = await find({ targets: [named("web1"), named("web2")], places: runner }, { makeSystems });
    expect(namesOf(targets)).toEqual(["web2"]);
    expect(failed).toMatchObject([{ name: "web1", configuration: "web1", status: "failed", phase: "build", error: failure }]);
    // A machine that builds the same configuration by itself has its own answer.
    const there = { ...named("there", nixos("web1")), buildOn: "target" } as const;
    expect(namesOf((await find({ targets: [named("web1"), there], places: runner }, { makeSystems })).targets)).toEqual(["there"]);
  });

  test("are none for a rollback", async () => {
    expect((await find({ targets: [named("web1")], places: runner, operation: "rollback" })).made).toBeUndefined();
  });
});

describe("systems that were built before the run", () => {
  const systems = new Map([["web1", makeStorePath("nixos-system-web1")]]);

  test("are deployed without a flake, and looked at before the ssh key is on the runner", async () => {
    const { targets, wanted, flake, made, events } = await find({ targets: [named("web1")], systems });
    expect(namesOf(targets)).toEqual(["web1"]);
    expect(wanted.get("web1")).toEqual({ name: "web1", configuration: "web1", way: "built-before", toplevel: systems.get("web1") });
    expect([flake, made]).toEqual([undefined, undefined]);
    expect(events.slice(0, 2)).toEqual(["require web1", "ssh"]);
  });

  test("are no systems of two targets in the same place", async () => {
    const both = new Map([...systems, ["web2", makeStorePath("nixos-system-web2")]]);
    const error = await rejection(InputError, find({ targets: [named("web1"), { ...named("web2"), host: "WEB1" }], systems: both }));
    expect(error.problems).toMatchObject([{ input: "targets" }]);
  });
});
