import { describe, expect, test } from "@jest/globals";

import { planUnits } from "../../../src/domain/unit-decision.js";
import type { ManagedUnit, UnitFacts, UnitFileChange } from "../../../src/domain/unit-facts.js";
import type { UnitPlan } from "../../../src/domain/unit-plan.js";

const same = { before: "/a", after: "/a" };

function makeFacts(overrides: Partial<UnitFacts> = {}): UnitFacts {
  const managed = overrides.managed ?? [];
  return {
    systemd: same,
    config: same,
    inhibitors: { before: "{}", after: "{}" },
    fstab: { before: [], after: [] },
    left: { start: [], restart: [], reload: [] },
    active: new Map(managed.map(({ name }) => [name, "active"])),
    idle: new Map(),
    aliases: new Map(),
    stopsWith: new Map(),
    managed,
    sockets: new Set(),
    added: new Set(),
    pulls: new Map(),
    parts: new Map(),
    ...overrides,
  };
}

const start: UnitFileChange = { change: "changed", section: "Service", key: "ExecStart" };

/** A unit that runs and has changed, with settings as `SECTION KEY` of the new file. */
function changed(name: string, settings: Readonly<Record<string, string>> = {}, changes: readonly UnitFileChange[] = [start]): ManagedUnit {
  return { name, file: "present", changes, settings: new Map(Object.entries(settings)) };
}

function gone(name: string, settings: Readonly<Record<string, string>> = {}): ManagedUnit {
  return { name, file: "gone", changes: [], settings: new Map(Object.entries(settings)) };
}

const target = (name = "multi-user.target", settings: Readonly<Record<string, string>> = {}): ManagedUnit => changed(name, settings, []);

/** What a plan has beside its empty lists. */
function planned(facts: Partial<UnitFacts>): Partial<UnitPlan> {
  const { source, ...plan } = planUnits(makeFacts(facts));
  expect(source).toBe("unit-files");
  return Object.fromEntries(Object.entries(plan).filter(([, value]) => (Array.isArray(value) ? value.length > 0 : value)));
}

const active = (...names: readonly string[]): ReadonlyMap<string, string> => new Map(names.map((name) => [name, "active"]));

describe("a unit that runs", () => {
  test.each<[string, ManagedUnit, Partial<UnitPlan>]>([
    ["and is gone is stopped", gone("a.service"), { stop: ["a.service"] }],
    ["and is gone stays with X-StopOnRemoval=false", gone("a.service", { "Unit X-StopOnRemoval": "false" }), {}],
    ["and is gone is stopped with X-StopOnRemoval=yes", gone("a.service", { "Unit X-StopOnRemoval": "yes" }), { stop: ["a.service"] }],
    ["and is a target that is gone is stopped", gone("a.target"), { stop: ["a.target"] }],
    ["and has changed is restarted", changed("a.service"), { restart: ["a.service"] }],
    ["and has only changed in words for people stays", changed("a.service", {}, [{ change: "changed", section: "Unit", key: "Description" }]), {}],
    [
      "and has other reload triggers is reloaded",
      changed("a.service", {}, [{ change: "changed", section: "Unit", key: "X-Reload-Triggers" }]),
      { reload: ["a.service"] },
    ],
    [
      "and has another ExecReload is reloaded",
      changed("a.service", {}, [{ change: "changed", section: "Service", key: "ExecReload" }]),
      { reload: ["a.service"] },
    ],
    [
      "and is a mount with other options is reloaded",
      changed("a.mount", {}, [{ change: "changed", section: "Mount", key: "Options" }]),
      { reload: ["a.mount"] },
    ],
    ["and is a mount that has changed is restarted", changed("a.mount", {}, [{ change: "changed", section: "Mount", key: "What" }]), { restart: ["a.mount"] }],
    ["and is -.mount is reloaded", changed("-.mount", {}, [{ change: "changed", section: "Mount", key: "What" }]), { reload: ["-.mount"] }],
    ["and is nix.mount is reloaded", changed("nix.mount", {}, [{ change: "changed", section: "Mount", key: "What" }]), { reload: ["nix.mount"] }],
    ["and is a path stays", changed("a.path"), {}],
    ["and is a slice stays", changed("a.slice"), {}],
    ["and is a socket stays", changed("a.socket"), {}],
    ["and is a timer is restarted", changed("a.timer"), { restart: ["a.timer"] }],
    ["with X-ReloadIfChanged is reloaded", changed("a.service", { "Service X-ReloadIfChanged": "true" }), { reload: ["a.service"] }],
    ["with X-RestartIfChanged=false is left", changed("a.service", { "Service X-RestartIfChanged": "false" }), { keep: ["a.service"] }],
    ["with RefuseManualStop is left", changed("a.service", { "Unit RefuseManualStop": "yes" }), { keep: ["a.service"] }],
    ["with X-OnlyManualStart is left", changed("a.service", { "Unit X-OnlyManualStart": "1" }), { keep: ["a.service"] }],
    [
      "with a word that switch-to-configuration does not know is restarted",
      changed("a.service", { "Unit RefuseManualStop": "YES" }),
      { restart: ["a.service"] },
    ],
    ["with X-StopIfChanged=false is restarted", changed("a.service", { "Service X-StopIfChanged": "false" }), { restart: ["a.service"] }],
    [
      "with X-ReloadIfChanged and X-RestartIfChanged=false is reloaded",
      changed("a.service", { "Service X-ReloadIfChanged": "true", "Service X-RestartIfChanged": "false" }),
      { reload: ["a.service"] },
    ],
  ])("%s", (_, unit, plan) => {
    expect(planned({ managed: [unit] })).toEqual(plan);
  });
});

describe("a service with a socket", () => {
  const service = (settings: Readonly<Record<string, string>> = {}, name = "a.service"): Partial<UnitFacts> => ({ managed: [changed(name, settings)] });

  test.each<[string, Partial<UnitFacts>, Partial<UnitPlan>]>([
    [
      "is left to the next connection",
      { ...service(), active: active("a.service", "a.socket"), sockets: new Set(["a.socket"]) },
      { stop: ["a.service"], restart: ["a.socket"] },
    ],
    ["is left to a socket that is new", { ...service(), sockets: new Set(["a.socket"]) }, { stop: ["a.service"] }],
    ["is restarted where the socket is gone", { ...service(), active: active("a.service", "a.socket") }, { stop: ["a.socket"], restart: ["a.service"] }],
    [
      "is left to those that Sockets= names",
      {
        ...service({ "Service Sockets": "b.socket  c.socket" }),
        active: active("a.service", "b.socket", "c.socket"),
        sockets: new Set(["b.socket", "c.socket"]),
      },
      { stop: ["a.service"], restart: ["b.socket", "c.socket"] },
    ],
    [
      "is not that of its name where Sockets= names others",
      { ...service({ "Service Sockets": "b.socket" }), active: active("a.service", "a.socket"), sockets: new Set(["a.socket"]) },
      { restart: ["a.service"] },
    ],
    [
      "is restarted as well with X-NotSocketActivated",
      { ...service({ "Service X-NotSocketActivated": "true" }), active: active("a.service", "a.socket"), sockets: new Set(["a.socket"]) },
      { restart: ["a.service", "a.socket"] },
    ],
    [
      "is the template's for an instance",
      { ...service({}, "a@1.service"), active: active("a@1.service", "a.socket"), sockets: new Set(["a.socket"]) },
      { stop: ["a@1.service"], restart: ["a.socket"] },
    ],
    [
      "is started all the same where a target wants it",
      {
        managed: [changed("a.service"), target()],
        active: active("a.service", "a.socket", "multi-user.target"),
        sockets: new Set(["a.socket"]),
        pulls: new Map([["multi-user.target", ["a.service"]]]),
      },
      { restart: ["a.service", "a.socket"] },
    ],
  ])("%s", (_, facts, plan) => {
    expect(planned(facts)).toEqual(plan);
  });
});

describe("targets that are active", () => {
  const wants = (...units: readonly string[]): Partial<UnitFacts> => ({ managed: [target()], pulls: new Map([["multi-user.target", units]]) });

  test.each<[string, Partial<UnitFacts>, Partial<UnitPlan>]>([
    ["start what is new below them", { ...wants("new.service"), added: new Set(["new.service"]) }, { start: ["new.service"] }],
    ["start what was never started", { ...wants("old.service"), idle: new Map([["old.service", "never"]]) }, { start: ["old.service"] }],
    ["run a oneshot again", { ...wants("once.service"), idle: new Map([["once.service", "ran"]]) }, { again: ["once.service"] }],
    [
      "start again what has failed",
      {
        ...wants("bad.service"),
        active: new Map([
          ["multi-user.target", "active"],
          ["bad.service", "failed"],
        ]),
      },
      { again: ["bad.service"] },
    ],
    ["pass over what has unmet conditions", { ...wants("if.service"), idle: new Map([["if.service", "unmet"]]) }, {}],
    ["leave alone what runs", { ...wants("a.service"), active: active("multi-user.target", "a.service") }, {}],
    [
      "know a unit that runs by its other name",
      { ...wants("dbus.service"), active: active("multi-user.target", "broker.service"), aliases: new Map([["dbus.service", "broker.service"]]) },
      {},
    ],
    [
      "start what is below other units",
      {
        managed: [target()],
        active: active("multi-user.target", "a.service"),
        pulls: new Map([
          ["multi-user.target", ["a.service"]],
          ["a.service", ["b.target"]],
          ["b.target", ["c.service"]],
        ]),
      },
      { start: ["b.target", "c.service"] },
    ],
    [
      "start what an instance's template asks for",
      {
        managed: [target()],
        pulls: new Map([
          ["multi-user.target", ["a@1.service"]],
          ["a@.service", ["b.service", "c@%i.service"]],
        ]),
      },
      { start: ["a@1.service", "b.service"] },
    ],
    [
      "and refuse to be started by hand start nothing",
      { managed: [target("multi-user.target", { "Unit RefuseManualStart": "true" })], pulls: new Map([["multi-user.target", ["new.service"]]]) },
      {},
    ],
    [
      "and have X-OnlyManualStart start nothing",
      { managed: [target("multi-user.target", { "Unit X-OnlyManualStart": "true" })], pulls: new Map([["multi-user.target", ["new.service"]]]) },
      {},
    ],
    ["and mean sleep start nothing", { managed: [target("suspend.target")], pulls: new Map([["suspend.target", ["new.service"]]]) }, {}],
    ["and have X-StopOnReconfiguration are not worth a word", { managed: [target("a.target", { "Unit X-StopOnReconfiguration": "true" })] }, {}],
  ])("%s", (_, facts, plan) => {
    expect(planned(facts)).toEqual(plan);
  });

  test("are not those that are inactive", () => {
    expect(planned({ pulls: new Map([["multi-user.target", ["new.service"]]]) })).toEqual({});
  });
});

describe("what systemd does beside", () => {
  test.each<[string, Partial<UnitFacts>, Partial<UnitPlan>]>([
    [
      "stops what requires a unit that is stopped",
      {
        managed: [gone("a.service")],
        active: active("a.service", "b.service", "c.service"),
        stopsWith: new Map([
          ["a.service", ["b.service", "idle.service"]],
          ["b.service", ["c.service"]],
        ]),
      },
      { stop: ["a.service", "b.service", "c.service"] },
    ],
    [
      "starts again what was stopped with another unit and is wanted",
      {
        managed: [changed("a.service"), target()],
        active: active("a.service", "b.service", "multi-user.target"),
        stopsWith: new Map([["a.service", ["b.service"]]]),
        pulls: new Map([["multi-user.target", ["b.service"]]]),
      },
      { restart: ["a.service", "b.service"] },
    ],
    [
      "restarts what requires a unit that is restarted",
      {
        managed: [changed("a.service", { "Service X-StopIfChanged": "false" })],
        active: active("a.service", "b.service"),
        stopsWith: new Map([["a.service", ["b.service"]]]),
      },
      { restart: ["a.service", "b.service"] },
    ],
    [
      "restarts the parts of sysinit-reactivation.target that run, and starts what it wants",
      {
        active: active("a.service"),
        parts: new Map([["sysinit-reactivation.target", ["a.service", "b.service"]]]),
        pulls: new Map([["sysinit-reactivation.target", ["c.service"]]]),
      },
      { start: ["c.service"], restart: ["a.service"] },
    ],
    [
      "starts what is to be reloaded and was stopped with another unit",
      {
        managed: [gone("a.service"), changed("b.service", { "Service X-ReloadIfChanged": "true" })],
        stopsWith: new Map([["a.service", ["b.service"]]]),
      },
      { stop: ["a.service"], restart: ["b.service"] },
    ],
    [
      "starts what a unit that is started needs",
      { managed: [changed("a.service")], pulls: new Map([["a.service", ["b.service"]]]), added: new Set(["b.service"]) },
      { restart: ["a.service"], start: ["b.service"] },
    ],
  ])("%s", (_, facts, plan) => {
    expect(planned(facts)).toEqual(plan);
  });
});

describe("beside the units", () => {
  test.each<[string, Partial<UnitFacts>, Partial<UnitPlan>]>([
    ["another systemd is executed", { systemd: { before: "/a", after: "/b" } }, { reexecutes: true }],
    ["another system.conf makes systemd execute itself again", { config: { before: "/a", after: "/b" } }, { reexecutes: true }],
    ["an inhibitor is named", { inhibitors: { before: '{"x":"1"}', after: '{"x":"2"}' } }, { inhibitors: ["x: 1 -> 2"] }],
    [
      "what a killed switch has left is done",
      { left: { start: ["a.service"], restart: ["b.service"], reload: ["c.service"] }, active: active("b.service", "c.service") },
      { start: ["a.service"], restart: ["b.service"], reload: ["c.service"] },
    ],
    [
      "mounts follow fstab",
      { fstab: { before: ["/dev/a /a ext4 x", "/dev/b /b ext4 x"], after: ["/dev/a /a ext4 y"] }, active: active("a.mount", "b.mount") },
      { stop: ["b.mount"], reload: ["a.mount"] },
    ],
    ["a swap device that is gone is stopped", { fstab: { before: ["/dev/s none swap sw"], after: [] } }, { stop: ["swap device: /dev/s"] }],
  ])("%s", (_, facts, plan) => {
    expect(planned(facts)).toEqual(plan);
  });

  test("a plan is bounded", () => {
    const managed = Array.from({ length: 3000 }, (_, index) => gone(`u${index}.service`));
    expect(planUnits(makeFacts({ managed })).stop).toHaveLength(1000);
  });
});
