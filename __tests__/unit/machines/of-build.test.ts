import { describe, expect, test } from "@jest/globals";

import { makeFailure } from "../../../src/domain/failure.js";
import type { InventoryEntry } from "../../../src/domain/inventory.js";
import { machinesOfBuild, type MachinesOfBuild } from "../../../src/machines/of-build.js";
import type { WantedJobs } from "../../../src/machines/of-matrix.js";
import type { BuildPorts } from "../../../src/machines/ports.js";
import { hiveNode, makeRequest, makeSentFlake, makeStorePath, nixos } from "../domain/make.js";

const failure = makeFailure({ phase: "build", reason: "it does not build" });

/** Builds over ports that note what is done, where `broken` does not build. */
async function build(wanted: Partial<WantedJobs>, overrides: Partial<BuildPorts> = {}): Promise<MachinesOfBuild & { readonly events: readonly string[] }> {
  const events: string[] = [];
  const found = await machinesOfBuild(
    { targets: [], selection: [], changedSince: undefined, user: undefined, port: undefined, ...wanted },
    {
      readInventory: async () => await Promise.resolve({ names: [], entries: [] }),
      announce: () => undefined,
      checkout: async () => await Promise.resolve({ pinned: "path:/nix/store/x", repository: { directory: "/work", referenceAt: (id) => id } }),
      resolveRevision: async (_, id) => await Promise.resolve({ kind: "commit", id }),
      formerToplevels: async () => await Promise.resolve({ kind: "same" }),
      toplevels: async () => await Promise.resolve(new Map()),
      allChanged: () => undefined,
      notComparable: () => undefined,
      fetchFlake: async () =>
        await Promise.resolve({
          wrap: async (hive) => {
            events.push(hive ? "wrap with hive" : "wrap");
            return await Promise.resolve({ ...makeSentFlake(), hive });
          },
        }),
      makeSystems: async (_, systems) => {
        events.push(...systems.map(({ name, way }) => `${name} ${way}`));
        const names = systems.map(({ configuration = "" }) => configuration);
        const made = (name: string): [string, { derivation: ReturnType<typeof makeStorePath>; toplevel: ReturnType<typeof makeStorePath> }] => [
          name,
          { derivation: makeStorePath(`${name}.drv`), toplevel: makeStorePath(name) },
        ];
        return await Promise.resolve({
          systems: new Map(names.map(made)),
          failed: new Map(names.filter((name) => name === "broken").map((name) => [name, failure])),
        });
      },
      ...overrides,
    },
  );
  return { ...found, events };
}

function entry(name: string, configuration = nixos(name), host = name): InventoryEntry {
  return { kind: "machine", name, request: { host, configuration }, system: undefined, tags: [], buildOn: "target", ignored: [] };
}

describe("the systems of a build", () => {
  test("are built on the runner, whatever the flake says, and those that fail are not among them", async () => {
    const entries = ["web1", "broken", "web2"].map((name) => entry(name));
    const names = entries.map(({ name }) => name);
    const { built, failed, total, events } = await build({ user: "deploy" }, { readInventory: async () => await Promise.resolve({ names, entries }) });
    expect(built.map(({ name, toplevel, request }) => [name, toplevel, request.user])).toEqual([
      ["web1", makeStorePath("web1"), "deploy"],
      ["web2", makeStorePath("web2"), "deploy"],
    ]);
    expect(failed).toMatchObject([{ name: "broken", configuration: "broken", status: "failed", error: failure }]);
    expect(total).toBe(3);
    expect(events).toEqual(["wrap", "broken built-here", "web1 built-here", "web2 built-here"]);
  });

  test("are those of a hive where a machine is one of its nodes", async () => {
    const entries = [entry("web1", hiveNode("web1"))];
    const { events } = await build({}, { readInventory: async () => await Promise.resolve({ names: ["web1"], entries }) });
    expect(events[0]).toBe("wrap with hive");
  });

  test("are none of machines that cannot be deployed", async () => {
    const entries = [entry("a", nixos("a"), "10.0.0.1"), entry("b", nixos("b"), "10.0.0.1"), entry("c")];
    const { built, failed, events } = await build({}, { readInventory: async () => await Promise.resolve({ names: ["a", "b", "c"], entries }) });
    expect(built.map(({ name }) => name)).toEqual(["c"]);
    expect(failed).toMatchObject([
      { name: "a", phase: "connect" },
      { name: "b", phase: "connect" },
    ]);
    expect(events).toEqual(["wrap", "c built-here"]);
  });

  test("are none, and nothing is evaluated for them, where no system has changed", async () => {
    const targets = [{ name: "web1", request: makeRequest({ host: "web1", configuration: "web1" }), system: undefined, tags: [] }];
    expect(await build({ targets, changedSince: "main~1" })).toEqual({ built: [], failed: [], total: 1, events: [] });
  });

  test("may be one of two machines", async () => {
    const targets = ["a", "b"].map((host) => ({ name: host, request: makeRequest({ host, configuration: "web" }), system: undefined, tags: [] }));
    expect((await build({ targets })).built.map(({ name, toplevel }) => [name, toplevel])).toEqual([
      ["a", makeStorePath("web")],
      ["b", makeStorePath("web")],
    ]);
  });
});
