import { expect, test } from "@jest/globals";

import { deployFleet } from "../../../src/deploy/fleet.js";
import { builtHere, realisedThere } from "../../../src/deploy/system-source.js";
import { DeployError } from "../../../src/domain/errors.js";
import { makeStorePath, source } from "../domain/make.js";
import { FakeMachine, makeRunSettings, MemoryLog, newSystem } from "./fake-machine.js";

const derivation = makeStorePath("nixos-system-new.drv");

test("a system that the runner has built is sent and not built again", async () => {
  const machine = new FakeMachine();
  const log = new MemoryLog();
  const { results, arrived } = await deployFleet([machine], makeRunSettings({ systemOf: () => builtHere(newSystem, [source]) }), log);
  expect(results).toMatchObject([{ status: "deployed", systemPath: newSystem, configuration: "web1" }]);
  expect(arrived).toBe(true);
  expect(machine.sentPaths).toEqual({ closures: [newSystem, source], derivations: [] });
  expect(machine.calls.filter((call) => /build|realise|copyFlake/.test(call))).toEqual([]);
  expect(log.lines.slice(0, 5)).toEqual(["1 hosts", "web1: == connect", "web1: ended", "web1: == copy", "web1: ended (2 paths)"]);
  expect(log.lines).not.toContain("web1: == build");
});

test("a derivation is sent, and built by the machine", async () => {
  const machine = new FakeMachine();
  const log = new MemoryLog();
  const { results } = await deployFleet([machine], makeRunSettings({ systemOf: () => realisedThere(derivation, [source]) }), log);
  expect(results).toMatchObject([{ status: "deployed", systemPath: newSystem }]);
  expect(machine.sentPaths).toEqual({ closures: [source], derivations: [derivation] });
  expect(machine.realised).toBe(derivation);
  expect(log.lines.slice(3, 7)).toEqual(["web1: == copy", "web1: ended (2 paths)", "web1: == build", `web1: built ${newSystem}`]);
});

test("a copy is tried again over a new connection", async () => {
  const machine = new FakeMachine();
  let tries = 0;
  machine.trouble.copyPaths = () => {
    if ((tries += 1) === 1) throw new DeployError({ phase: "copy", reason: "the connection was lost while the system was sent", unreachable: true });
  };
  const { results } = await deployFleet([machine], makeRunSettings({ retries: 1, systemOf: () => builtHere(newSystem, []) }), new MemoryLog());
  expect(results).toMatchObject([{ status: "deployed" }]);
  expect(machine.calls.slice(0, 4)).toEqual(["web1 connect", "web1 copyPaths", "web1 connect", "web1 copyPaths"]);
});
