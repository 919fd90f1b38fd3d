import { describe, expect, test } from "@jest/globals";

import { hiveNode, makeRequest, nixos } from "./make.js";
import { ownHostname } from "../../../src/domain/configuration.js";
import { InputError } from "../../../src/domain/errors.js";
import {
  chooseMachines,
  requireSelection,
  separateSamePlace,
  targetsOf,
  unusableResult,
  type InventoryEntry,
  type InventoryMachine,
  type UnusableMachine,
} from "../../../src/domain/inventory.js";
import { isFailure } from "../../../src/domain/result.js";
import { placeOf } from "../../../src/domain/target.js";
import { parseSelection } from "../../../src/domain/selection.js";
import { thrown } from "../failure-of.js";

function machine(name: string, overrides: Partial<InventoryMachine> = {}): InventoryMachine {
  return {
    kind: "machine",
    name,
    request: { host: name, configuration: nixos(name) },
    system: undefined,
    tags: undefined,
    buildOn: "auto",
    ignored: [],
    ...overrides,
  };
}

const broken: UnusableMachine = { kind: "unusable", name: "broken", error: "no luck", tags: undefined };
const local: InventoryEntry = { kind: "other", name: "laptop", reason: "its targetHost is null" };

function choose(entries: readonly InventoryEntry[], select = "", names = entries.map(({ name }) => name)): ReturnType<typeof chooseMachines> {
  const chosen = chooseMachines({ names, entries }, parseSelection(select));
  return separateSamePlace(chosen, ({ request: { host, port = 22 } }) => placeOf({ address: host, port, via: undefined }));
}

function problemOf(entries: readonly InventoryEntry[], select = ""): string[] {
  return thrown(InputError, () => choose(entries, select)).problems.map(({ input, problem }) => `${input}: ${problem}`);
}

describe("what is chosen", () => {
  const web = machine("web", { tags: ["canary"] });
  const db = machine("db", { tags: [] });

  test("is everything without a selection", () => {
    expect(choose([web, broken, local])).toEqual({ machines: [web], unusable: [broken], others: [local] });
  });

  test("comes in the order of the names, in which numbers count", () => {
    const names = ["web10", "web2", "db", "web1"];
    expect(choose(names.map((name) => machine(name))).machines.map(({ name }) => name)).toEqual(["db", "web1", "web2", "web10"]);
  });

  test("is what a selection names", () => {
    expect(choose([web, db, broken, local], "web,l*")).toEqual({ machines: [web], unusable: [], others: [local] });
  });

  test("includes what does not evaluate if a tag is requested that it may have", () => {
    expect(choose([web, db, broken], "@canary")).toEqual({ machines: [web], unusable: [broken], others: [] });
  });

  test("a name is known also where nobody has looked at the machine", () => {
    expect(choose([web], "web", ["web", "db"])).toEqual({ machines: [web], unusable: [], others: [] });
  });

  test("never leaves out in silence what nobody has looked at", () => {
    expect(() => choose([web], "", ["web", "db"])).toThrow("db matched the selection but were not evaluated");
    expect(() => choose([web], "*", ["web", "db"])).toThrow("db matched the selection but were not evaluated");
  });
});

describe("two machines in one place", () => {
  const one = machine("one", { request: makeRequest({ host: "Web", port: 22 }) });
  const two = machine("two", { request: makeRequest({ host: "web" }) });
  const three = machine("three", { request: makeRequest({ host: "web", port: 2222 }) });

  test("are both unusable", () => {
    const { machines, unusable } = choose([one, two, three]);
    expect(machines).toEqual([three]);
    const error = "one and two have the same address (web port 22); one run can deploy only one configuration per machine";
    expect(unusable).toMatchObject([
      { name: "one", error },
      { name: "two", error },
    ]);
  });

  test("may be chosen one at a time", () => {
    expect(choose([one, two], "two").machines).toEqual([two]);
  });
});

describe("an error", () => {
  test("for a flake without machines", () => {
    expect(problemOf([])).toEqual([
      "targets: is empty, and the flake defines no hosts; set targets, or use a flake with deploy.nodes (deploy-rs), colmenaHive (colmena) or nixosConfigurations",
    ]);
  });

  test("where none is one to deploy", () => {
    expect(problemOf([local])).toEqual(["targets: is empty, and no host of the flake can be deployed over ssh (laptop: its targetHost is null)"]);
  });

  test("for one that is not to be deployed and is selected by its name", () => {
    expect(problemOf([machine("web"), local], "web,laptop")).toEqual(["select: names hosts that cannot be deployed: laptop (its targetHost is null)"]);
    expect(choose([machine("web"), local], "*,!laptop").others).toEqual([]);
  });

  test("where the flake forbids deploying all machines, and none is selected", () => {
    const inventory = { names: ["web"], entries: [machine("web")], needsSelection: true };
    expect(thrown(InputError, () => requireSelection(inventory, [])).problems).toMatchObject([
      { input: "select", problem: expect.stringContaining("meta.allowApplyAll = false"), topic: "apply-all-forbidden" },
    ]);
    requireSelection(inventory, parseSelection("*"));
    requireSelection({ ...inventory, needsSelection: false }, []);
  });

  test("for a part of the selection that matches nothing", () => {
    expect(problemOf([machine("web")], "web,db*,c")).toEqual(["select: db*, c matches no host; available: web"]);
    expect(problemOf([machine("web", { tags: ["a", "b"] }), machine("db", { tags: ["b"] })], "@x")).toEqual([
      "select: @x matches no host; available: web, db, @a, @b",
    ]);
  });
});

test("targets are called as the flake calls the machines, and what is open stays so", () => {
  const machines = [
    machine("web", { request: makeRequest({ host: "10.0.0.1", configuration: "colmenaHive.nodes.web" }) }),
    machine("db", { request: makeRequest({ host: "db", user: "root", port: 7 }) }),
  ];
  expect(targetsOf(machines)).toEqual([
    { name: "web", user: undefined, host: "10.0.0.1", port: undefined, configuration: hiveNode("web") },
    { name: "db", user: "root", host: "db", port: 7, configuration: ownHostname },
  ]);
});

test("the result of what cannot be deployed is a failure, in the first phase", () => {
  const result = unusableResult(broken);
  expect(isFailure(result.status)).toBe(true);
  expect(result).toMatchObject({ name: "broken", phase: "connect", error: { phase: "connect", reason: "no luck" }, changed: false });
});

test("a selection that leaves nothing is an error, and what is left out is not missed", () => {
  expect(problemOf([machine("web1"), machine("web2")], "!web*")).toEqual(["select: !web* leaves no machine"]);
  expect(choose([machine("web1"), machine("web2")], "!web2").machines.map(({ name }) => name)).toEqual(["web1"]);
});
