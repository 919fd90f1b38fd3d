import { describe, expect, test } from "@jest/globals";

import type { Place } from "../../../src/domain/build-place.js";
import { InputError } from "../../../src/domain/errors.js";
import type { Inventory, InventoryEntry } from "../../../src/domain/inventory.js";
import type { MatrixMachine } from "../../../src/domain/matrix.js";
import { machinesOfMatrix, type MachinesOfMatrix, type WantedJobs } from "../../../src/machines/of-matrix.js";
import type { Checkout, MatrixPorts } from "../../../src/machines/ports.js";
import { makeRequest, type WrittenRequest } from "../domain/make.js";
import { rejection } from "../failure-of.js";

type Found = MachinesOfMatrix & { readonly messages: readonly string[] };

const repository = { directory: "/work", referenceAt: (commit: string) => `git+file:///work?rev=${commit}` };
const present: Checkout = { pinned: "path:/nix/store/x", repository };

function machine(name: string, request: Partial<WrittenRequest> = {}): MatrixMachine {
  return { name, request: makeRequest({ host: name, configuration: name, ...request }), system: undefined, tags: [] };
}

function entry(name: string, host: string, buildOn: Place = "auto"): InventoryEntry {
  const request = makeRequest({ host, configuration: name });
  return { kind: "machine", name, request, system: "x86_64-linux", tags: ["web"], buildOn, ignored: [] };
}

async function find(wanted: Partial<WantedJobs>, overrides: Partial<MatrixPorts> = {}): Promise<Found> {
  const messages: string[] = [];
  const found = await machinesOfMatrix(
    { targets: [], selection: [], changedSince: undefined, user: undefined, port: undefined, ...wanted },
    {
      readInventory: async () => await Promise.resolve({ names: [], entries: [] }),
      announce: () => undefined,
      checkout: async () => await Promise.resolve(present),
      resolveRevision: async (_, id) => await Promise.resolve({ kind: "commit", id }),
      formerToplevels: async () => await Promise.resolve({ kind: "none", reason: "not set by the test" }),
      toplevels: async () => await Promise.resolve(new Map()),
      allChanged: (reason) => messages.push(`all: ${reason}`),
      notComparable: (name) => messages.push(`unknown: ${name}`),
      ...overrides,
    },
  );
  return { ...found, messages };
}

const namesOf = ({ machines }: Found): string[] => machines.map(({ name }) => name);

describe("the machines of a matrix", () => {
  test("get user and port of the inputs where they have none", async () => {
    const { machines } = await find({ targets: [machine("a"), machine("b", { user: "admin", port: 23 })], user: "deploy", port: 2222 });
    expect(machines.map(({ request }) => [request.user, request.port])).toEqual([
      ["deploy", 2222],
      ["admin", 23],
    ]);
  });

  test("are those of the flake without targets, apart from those in the same place", async () => {
    const entries = [entry("a", "10.0.0.1"), entry("b", "10.0.0.1"), entry("c", "10.0.0.2")];
    const found = await find({}, { readInventory: async () => await Promise.resolve({ names: ["a", "b", "c"], entries }) });
    expect(found.machines).toMatchObject([{ name: "c", system: "x86_64-linux", tags: ["web"] }]);
    expect(found.unusable.map(({ name }) => name)).toEqual(["a", "b"]);
  });

  test("say where the flake has each of them built, unless the runner builds none", async () => {
    const places = async (...said: readonly Place[]): Promise<unknown[]> => {
      const entries = said.map((place, index) => entry(`m${index}`, `10.0.0.${index}`, place));
      const found = await find({}, { readInventory: async () => await Promise.resolve({ names: entries.map(({ name }) => name), entries }) });
      return found.machines.map(({ request }) => request.flakeBuildOn);
    };
    expect(await places("runner", "target", "auto")).toEqual(["runner", "target", "auto"]);
    expect(await places("target", "auto")).toEqual([undefined, undefined]);
  });
});

test("without a selection there is no matrix where the flake forbids deploying all machines", async () => {
  const readInventory = async (): Promise<Inventory> => await Promise.resolve({ names: ["a"], entries: [], needsSelection: true });
  expect((await rejection(InputError, find({}, { readInventory }))).problems).toMatchObject([{ input: "select", topic: "apply-all-forbidden" }]);
});

describe("changed-since", () => {
  const targets = [machine("same"), machine("changed"), machine("new"), machine("broken"), machine("hostname", { configuration: undefined })];
  const wanted = { targets, changedSince: "main~1" };

  test("leaves out machines whose system is the same, and keeps those that cannot be compared", async () => {
    const found = await find(wanted, {
      formerToplevels: async () =>
        await Promise.resolve({
          kind: "toplevels",
          toplevels: new Map([
            ["same", "/1.drv"],
            ["changed", "/2.drv"],
            ["broken", "/4.drv"],
          ]),
        }),
      toplevels: async () =>
        await Promise.resolve(
          new Map([
            ["same", "/1.drv"],
            ["changed", "/3.drv"],
            ["new", "/5.drv"],
          ]),
        ),
    });
    expect(namesOf(found)).toEqual(["changed", "new", "broken", "hostname"]);
    expect(found.total).toBe(5);
    expect(found.messages).toEqual(["unknown: broken"]);
  });

  test("leaves out all where the source is the same", async () => {
    expect(namesOf(await find(wanted, { formerToplevels: async () => await Promise.resolve({ kind: "same" }) }))).toEqual([]);
  });

  test.each([
    ["the former commit does not evaluate", {}],
    ["the commit is unknown", { resolveRevision: async () => await Promise.resolve({ kind: "missing", shallow: false } as const) }],
  ])("keeps all where %s", async (_, overrides: Partial<MatrixPorts>) => {
    const found = await find(wanted, overrides);
    expect(namesOf(found)).toHaveLength(5);
    expect(found.messages).toHaveLength(1);
  });

  test("keeps all for GitHub's commit of zeros, which is not looked up", async () => {
    const resolveRevision = async (): Promise<never> => await Promise.reject(new Error("looked up"));
    expect(namesOf(await find({ ...wanted, changedSince: "0".repeat(40) }, { resolveRevision }))).toHaveLength(5);
  });

  test.each([
    ["in a shallow checkout", { resolveRevision: async () => await Promise.resolve({ kind: "missing", shallow: true } as const) }, "fetch-depth: 0"],
    ["without a work tree", { checkout: async () => await Promise.resolve({ ...present, repository: undefined }) }, "Git work tree"],
  ])("is an input error %s", async (_, overrides: Partial<MatrixPorts>, advice) => {
    const { problems } = await rejection(InputError, find(wanted, overrides));
    expect(problems).toMatchObject([{ input: "changed-since" }]);
    expect(problems[0]?.problem).toContain(advice);
  });
});
