import { describe, expect, test } from "@jest/globals";

import { AnswerError, DeployError } from "../../../src/domain/errors.js";
import { machineFacts, parseFacts, systemState } from "../../../src/nixos/facts.js";
import { makeStorePath } from "../domain/make.js";
import { thrown } from "../failure-of.js";

const toplevel = makeStorePath("nixos-system-web1");
const needs = { needsRebuild: true };

function makeFacts(overrides: Readonly<Record<string, string>> = {}): string {
  const facts = {
    user: "root",
    uid: "0",
    hostname: "web1",
    sudo: "unneeded",
    nix: "nix (Nix) 2.34.8",
    "nixos-rebuild": "/run/current-system/sw/bin/nixos-rebuild",
    systemd: "258",
    nixos: "yes",
    "free-kib": "1000000",
    running: toplevel,
    booted: toplevel,
    profile: toplevel,
    generation: "7",
    "boot-id": "b",
    "failed-units": "a.service b.service ",
    "reboot-needed": "no",
    ...overrides,
  };
  return Object.entries(facts)
    .map(([key, value]) => `${key}=${value}\n`)
    .join("");
}

describe("parseFacts", () => {
  test("takes the first = as the end of the key, and the last line of a key", () => {
    expect([...parseFacts("a=b=c\nnothing\n=x\n\nd= e \r\na=2\n")]).toEqual([
      ["a", "2"],
      ["d", " e"],
    ]);
  });
});

describe("systemState", () => {
  test("reads all of it", () => {
    expect(systemState(parseFacts(makeFacts({ "reboot-needed": "yes" })))).toEqual({
      running: toplevel,
      booted: toplevel,
      profile: toplevel,
      generation: 7,
      bootId: "b",
      failedUnits: ["a.service", "b.service"],
      restartingUnits: [],
      rebootNeeded: true,
    });
  });

  test("takes a machine that has no profile yet, and one that runs from elsewhere", () => {
    expect(systemState(parseFacts(makeFacts({ running: "/mnt/system", booted: "", profile: "", generation: "" })))).toMatchObject({
      running: undefined,
      booted: undefined,
      profile: undefined,
      generation: undefined,
    });
  });

  test("knows nothing of a machine that says nothing", () => {
    expect(systemState(new Map())).toMatchObject({ running: undefined, generation: undefined, bootId: "", failedUnits: [], rebootNeeded: false });
  });

  test.each(["running", "booted", "profile"])("refuses a store path that is none: %s", (key) => {
    const error = thrown(AnswerError, () => systemState(parseFacts(makeFacts({ [key]: "/nix/store/../../etc" }))));
    expect(error.message).toBe(`${key} is "/nix/store/../../etc", which is not a path of the Nix store`);
  });

  test("takes no number for a generation that is none, and no name for a unit that is too long", () => {
    const forged = { generation: "9".repeat(400), "failed-units": `a.service ${"x".repeat(300)} ${"b.service ".repeat(20_000)}` };
    const state = systemState(parseFacts(makeFacts(forged)));
    expect(state.generation).toBeUndefined();
    expect([state.failedUnits.length, state.failedUnits[0], state.failedUnits[1]]).toEqual([10_000, "a.service", "b.service"]);
  });

  test("keeps the beginning of a fact that is too long", () => {
    expect(parseFacts(`hostname=${"x".repeat(5_000_000)}\n`).get("hostname")).toHaveLength(1000);
  });
});

describe("machineFacts", () => {
  test("distinguishes the machine and the way to become root", () => {
    const { facts, access } = machineFacts(makeFacts(), needs);
    expect(facts).toMatchObject({ hostname: "web1", nix: "nix (Nix) 2.34.8", freeKibibytes: 1_000_000, state: { generation: 7 } });
    expect(access).toEqual({ user: "root", root: true, sudo: "unneeded", doas: "missing", run0: "missing" });
  });

  test("distinguishes machines that share a boot id, a machine id, or both", () => {
    const identityOf = (boot: string, namespace: string, machine: string): string | undefined =>
      machineFacts(makeFacts({ "boot-id": boot, "pid-namespace": namespace, "machine-id": machine }), needs).facts.identity;
    const machine = ["b1", "pid:[4026531836]", "m1"] as const;
    expect(identityOf(...machine)).toBe(identityOf(...machine));
    const clone = identityOf("b2", "pid:[4026531836]", "m1");
    const container = identityOf("b1", "pid:[4026532201]", "m2");
    const clonedContainer = identityOf("b1", "pid:[4026532305]", "m1");
    expect(new Set([identityOf(...machine), clone, container, clonedContainer]).size).toBe(4);
  });

  test("takes a machine that does not say its boot id for none in particular", () => {
    expect(machineFacts(makeFacts({ "boot-id": "" }), needs).facts.identity).toBeUndefined();
  });

  test("knows the available memory, or nothing of it", () => {
    expect(machineFacts(makeFacts({ "memory-kib": "700000" }), needs).facts.memoryKibibytes).toBe(700_000);
    expect(machineFacts(makeFacts({ "memory-kib": "" }), needs).facts.memoryKibibytes).toBeUndefined();
  });

  test.each(["unneeded", "missing", "ready", "refused"] as const)("knows sudo to be %s", (sudo) => {
    expect(machineFacts(makeFacts({ sudo, uid: "1000", user: "deploy" }), needs).access).toMatchObject({ user: "deploy", root: false, sudo });
  });

  test.each([
    [{}, "missing", "missing"],
    [{ doas: "ready", run0: "present" }, "ready", "present"],
    [{ doas: "refused", run0: "x" }, "refused", "missing"],
    [{ run0: "lightweight" }, "missing", "lightweight"],
  ])("%j: doas is %s, run0 is %s", (said, doas, run0) => {
    expect(machineFacts(makeFacts(said), needs).access).toMatchObject({ doas, run0 });
  });

  test("takes an unknown word about sudo for a refusal, and an unknown space for unknown", () => {
    const { access, facts } = machineFacts(makeFacts({ sudo: "x", "free-kib": "-" }), needs);
    expect([access.sudo, facts.freeKibibytes]).toEqual(["refused", undefined]);
  });

  test.each([
    [{ nix: "" }, "nix was not found on the machine"],
    [{ "nixos-rebuild": "" }, "nixos-rebuild was not found on the machine"],
    [{ systemd: "" }, "systemd is not running on the machine"],
  ])("refuses a machine with %j: %s", (overrides, reason) => {
    const error = thrown(DeployError, () => machineFacts(makeFacts(overrides), needs));
    expect(error).toMatchObject({ phase: "connect", reason, unreachable: false });
    expect(error.hint).toContain("Check that the machine runs NixOS");
  });

  test("refuses a machine that does not run NixOS yet", () => {
    expect(thrown(DeployError, () => machineFacts(makeFacts({ nixos: "", running: "" }), needs))).toMatchObject({
      phase: "connect",
      reason: "the machine does not run NixOS: /run/current-system is missing",
      hint: "Install NixOS on it first (nixos-install, nixos-anywhere) and boot it",
    });
  });

  test("knows the generation before the current one, and the specialisation that runs", () => {
    expect(machineFacts(makeFacts({ "older-generation": "6", older: toplevel, specialisation: "tor" }), needs).facts).toMatchObject({
      olderGeneration: { number: 6, toplevel },
      specialisation: "tor",
    });
    expect(machineFacts(makeFacts({ "older-generation": "6", older: "", specialisation: "" }), needs).facts).toMatchObject({
      olderGeneration: undefined,
      specialisation: undefined,
    });
  });
});
