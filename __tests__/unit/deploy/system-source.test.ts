import { describe, expect, test } from "@jest/globals";

import { deployFleet } from "../../../src/deploy/fleet.js";
import { builtBefore, builtHere, realisedThere, rebuiltThere, type RunnerStore, type SystemSource } from "../../../src/deploy/system-source.js";
import { ownHostname } from "../../../src/domain/configuration.js";
import { DeployError } from "../../../src/domain/errors.js";
import type { SentFlake } from "../../../src/domain/flake.js";
import type { HostResult } from "../../../src/domain/result.js";
import { makeSentFlake, makeStorePath, source } from "../domain/make.js";
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
  const { results } = await deployFleet([machine], makeRunSettings({ systemOf: () => realisedThere(derivation, "web1", [source]) }), log);
  expect(results).toMatchObject([{ status: "deployed", systemPath: newSystem }]);
  expect(machine.sentPaths).toEqual({ closures: [source], derivations: [derivation] });
  expect(machine.realised).toBe(derivation);
  expect(log.lines.slice(3, 7)).toEqual(["web1: == copy", "web1: ended (2 paths)", "web1: == build", `web1: built ${newSystem}`]);
});

test("a machine is connected with the flake that is sent next, where that is known by then", async () => {
  const flake = Promise.withResolvers<SentFlake>();
  const there = rebuiltThere(flake.promise);
  if (!there.evaluatesOnMachine) throw new Error("it evaluates on the runner");
  expect(there.next()).toBeUndefined();
  const sent = makeSentFlake();
  flake.resolve(sent);
  await flake.promise;
  expect(there.next()).toBe(sent);
  const machine = new FakeMachine();
  await deployFleet([machine], makeRunSettings({ systemOf: () => there }), new MemoryLog());
  expect(machine.next).toBe(sent);
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

describe("a system that was built before the run", () => {
  /** A runner that has a system, or can download it, or neither. */
  const runnerThat = (state: "has it" | "downloads it" | "does neither", calls: string[] = []): RunnerStore => ({
    has: async () => await Promise.resolve(state === "has it"),
    download: async () => {
      calls.push("runner download");
      return await Promise.resolve(state === "downloads it" ? undefined : ["error: no such path"]);
    },
  });

  async function deploy(machine: FakeMachine, runner: RunnerStore, substitutes = true): Promise<readonly HostResult[]> {
    const systemOf = (): SystemSource => builtBefore(newSystem, runner, { substitutes });
    return (await deployFleet([machine], makeRunSettings({ systemOf }), new MemoryLog())).results;
  }

  const gettingIt = ({ calls }: FakeMachine): string[] => calls.slice(1, calls.indexOf("web1 require system") + 1);

  test("is sent by a runner that has it", async () => {
    const machine = new FakeMachine();
    expect(await deploy(machine, runnerThat("has it"))).toMatchObject([{ status: "deployed", systemPath: newSystem }]);
    expect(gettingIt(machine)).toEqual(["web1 copyPaths", "web1 require system"]);
    expect(machine.sentPaths).toEqual({ closures: [newSystem], derivations: [] });
  });

  test("is downloaded by the machine where the runner does not have it", async () => {
    const machine = new FakeMachine({}, []);
    machine.downloads = [newSystem];
    expect(await deploy(machine, runnerThat("does neither", machine.calls))).toMatchObject([{ status: "deployed" }]);
    expect(gettingIt(machine)).toEqual(["web1 download", "web1 require system"]);
  });

  test.each([
    [true, ["web1 download", "runner download", "web1 copyPaths", "web1 require system"]],
    [false, ["runner download", "web1 copyPaths", "web1 require system"]],
  ])("is downloaded by the runner else; with substitute-on-destination: %s", async (substitutes, calls) => {
    const machine = new FakeMachine({}, []);
    expect(await deploy(machine, runnerThat("downloads it", machine.calls), substitutes)).toMatchObject([{ status: "deployed" }]);
    expect(gettingIt(machine)).toEqual(calls);
  });

  test.each([
    [true, "by the machine or the runner", ["On the machine:", `error: path '${newSystem}' does not exist`, "On the runner:", "error: no such path"]],
    [false, "there", ["On the runner:", "error: no such path"]],
  ])("that nobody has fails before the activation, in Nix's words; with substitute-on-destination: %s", async (substitutes, whom, lines) => {
    const machine = new FakeMachine();
    const [result] = await deploy(machine, runnerThat("does neither"), substitutes);
    expect(result).toMatchObject({ status: "failed", phase: "copy", changed: false });
    expect(result?.error?.reason).toBe(`${newSystem} is not in the store of the runner, and could not be downloaded ${whom}`);
    expect(result?.error?.lines).toEqual(lines);
    expect(machine.activation).toBeUndefined();
  });

  test("that is none of NixOS is not activated", async () => {
    const machine = new FakeMachine();
    machine.isSystem = false;
    expect(await deploy(machine, runnerThat("has it"))).toMatchObject([{ status: "failed", phase: "copy" }]);
    expect(machine.activation).toBeUndefined();
  });

  test("needs no name of a configuration, which the result then does not have", async () => {
    const machine = new FakeMachine({ configuration: ownHostname });
    machine.hostname = "(none)";
    expect(await deploy(machine, runnerThat("has it"))).toMatchObject([{ status: "deployed", configuration: undefined }]);
  });
});
