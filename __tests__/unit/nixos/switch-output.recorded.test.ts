import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { root } from "../../../scripts/paths.js";
import { deployFleet } from "../../../src/deploy/fleet.js";
import { changesRunningSystem, changesSystemProfile, type Operation } from "../../../src/domain/operation.js";
import type { HostResult } from "../../../src/domain/result.js";
import { SwitchOutputReader } from "../../../src/nixos/switch-output.js";
import { FakeMachine, makeRunSettings, makeState, MemoryLog, newSystem, oldSystem } from "../deploy/fake-machine.js";

// What the real switch-to-configuration printed, alone and under both real nixos-rebuild. The verdicts are written by hand, from
// what the real programs did to the machines.

const recorded = join(root, "__tests__/unit/nixos/recorded");

type Verdict = { readonly status: string; readonly reason?: string; readonly hint?: string; readonly failedUnits?: readonly string[] };

const green: Verdict = { status: "deployed" };
const planned: Verdict = { status: "planned" };
const unitHint = "See the unit's journal below, fix it and deploy again";
const checkHint = "See its output below, fix what it reports and deploy again";
const bootHint = "Deploy with `operation: boot`, then reboot the machine";

const units = (text: string, ...failedUnits: readonly string[]): Verdict => ({
  status: "rolled-back",
  reason: `newly failed units (exit code CODE): ${text}`,
  hint: unitHint,
  failedUnits,
});
const bad = units("bad.service", "bad.service");
const loop = units("loop.service", "loop.service");
const snippet = (name: string, ...failedUnits: readonly string[]): Verdict => ({
  status: "rolled-back",
  reason: `the activation script snippet ${name} failed (exit code CODE)`,
  hint: "See its output in the host's log, fix the snippet and deploy again",
  failedUnits,
});
const bootLoader: Verdict = {
  status: "rolled-back",
  reason: "the boot loader could not be installed (exit code CODE)",
  hint: "See the output of its installer below",
};
// Before anything was stopped or activated, there is nothing to roll back.
const inhibitor = (change: string): Verdict => ({
  status: "failed",
  reason: `a switch inhibitor refuses to activate the new system while the old one runs (exit code CODE): ${change}`,
  hint: bootHint,
});
const check: Verdict = { status: "failed", reason: "the pre-switch check 'custom' of the new system failed (exit code CODE)", hint: checkHint };
const checkOfBoot: Verdict = { ...check, status: "rolled-back" };
const otherInit: Verdict = {
  status: "failed",
  reason: "the new system uses a different init system, so it takes effect only after a reboot (exit code CODE)",
  hint: bootHint,
};
const users: Verdict = {
  status: "degraded",
  reason: "the user activation failed for root (agent.service), alice (agent.service)",
  hint: "The system itself was activated. Check `systemctl --user status` as this user",
};

/** By scenario: the verdict of test, of switch in all three ways, and of boot. */
const scenarios: Readonly<Record<string, readonly [Verdict, Verdict, Verdict]>> = {
  "boot-loader-fails": [green, bootLoader, bootLoader],
  "changed-service": [green, green, green],
  "changed-unit-fails": [units("web.service", "web.service"), units("web.service", "web.service"), green],
  "check-refuses": [check, check, checkOfBoot],
  "dies-after-3-seconds": [green, green, green],
  "inhibitor-passes": [green, green, green],
  "inhibitor-refuses": [inhibitor("systemd: 262 -> 263"), inhibitor("systemd: 262 -> 263"), green],
  "new-service": [green, green, green],
  "new-user-unit-fails": [green, green, green],
  oneshot: [green, green, green],
  "other-init": [otherInit, otherInit, green],
  "reload-fails": [units("web.service (failed to reload)", "web.service"), units("web.service (failed to reload)", "web.service"), green],
  "removed-service": [green, green, green],
  "restarts-for-ever": [loop, loop, green],
  "skipped-service": [green, green, green],
  "snippet-and-unit-fail": [snippet("'setupSecrets' (3)", "bad.service"), snippet("'setupSecrets' (3)", "bad.service"), green],
  "snippet-fails": [snippet("'setupSecrets' (3)"), snippet("'setupSecrets' (3)"), green],
  "start-job-fails": [bad, bad, green],
  "systemd-reexecutes": [green, green, green],
  "unit-fails": [bad, bad, green],
  "user-activation-fails": [green, green, green],
  "user-unit-changed": [green, green, green],
  "user-unit-fails": [users, users, green],
};

/** By file: the operation, the exit code, and the verdict. Only an activation came to its end that is not refused. */
const activations: Readonly<Record<string, readonly [Operation, number, Verdict]>> = {
  "activation-script-fails.bash": ["switch", 1, snippet("'custom' (1)")],
  "activation-script-fails.ng": ["switch", 2, snippet("'custom' (1)")],
  "boot-loader-fails.bash": ["boot", 1, bootLoader],
  "boot-loader-fails.ng": ["boot", 17, bootLoader],
  "changed-services.bash": ["switch", 0, green],
  "changed-services.ng": ["switch", 0, green],
  "dry-activate.bash": ["dry-activate", 0, planned],
  "dry-activate.ng": ["dry-activate", 0, planned],
  "inhibitor-refuses.bash": ["switch", 1, inhibitor("dbus-implementation: dbus -> broker")],
  "inhibitor-refuses.ng": ["switch", 1, inhibitor("dbus-implementation: dbus -> broker")],
  "new-unit-fails-with-inhibitor-check.bash": ["switch", 1, bad],
  "new-unit-fails-with-inhibitor-check.ng": ["switch", 4, bad],
  "new-unit-fails.ng": ["switch", 4, bad],
  "new-unit-restarts-for-ever.bash": ["switch", 1, loop],
  "new-unit-restarts-for-ever.ng": ["switch", 4, loop],
  "other-init.bash": ["switch", 1, otherInit],
  "other-init.ng": ["switch", 100, otherInit],
  "pre-switch-check-fails.ng": ["boot", 1, checkOfBoot],
  "unit-name-taken.bash": [
    "switch",
    1,
    {
      status: "rolled-back",
      reason: "switch-to-configuration failed without naming a cause (exit code CODE)",
      hint: "The machine may be partially switched. See the end of its output below",
    },
  ],
};

/** Deploys to a machine whose switch-to-configuration ends so. */
async function deploy(operation: Operation, lines: readonly string[], exitCode: number, switched: boolean, failedUnits: readonly string[]): Promise<Verdict> {
  const reader = new SwitchOutputReader();
  for (const line of lines) reader.read(line);
  const machine = new FakeMachine();
  const running = changesRunningSystem(operation) && switched ? newSystem : oldSystem;
  const profile = changesSystemProfile(operation) ? newSystem : oldSystem;
  machine.end = { exitCode, causes: reader.causes(), touched: reader.touched, lines, after: makeState({ running, profile, failedUnits }) };
  const { results } = await deployFleet([machine], makeRunSettings({ operation }), new MemoryLog());
  return told(results, exitCode);
}

function told(results: readonly HostResult[], exitCode: number): Verdict {
  const [result] = results;
  if (result === undefined) throw new Error("there is no result");
  const { status, error, failedUnits } = result;
  if (error === undefined) return { status, ...(failedUnits.length > 0 ? { failedUnits } : {}) };
  const reason = error.reason.replace(`exit code ${exitCode})`, "exit code CODE)");
  return { status, reason, ...(error.hint === undefined ? {} : { hint: error.hint }), failedUnits };
}

function expected(verdict: Verdict): Verdict {
  return verdict.reason === undefined ? verdict : { failedUnits: [], ...verdict };
}

function read(directory: string, name: string): string[] {
  return readFileSync(join(recorded, directory, `${name}.log`), "utf8").split("\n");
}

describe.each(Object.entries(scenarios))("%s", (name, [test_, switch_, boot]) => {
  const sections = new Map<string, string[]>();
  let section: string[] = [];
  for (const line of read("switch", name)) {
    if (line.startsWith("== ")) sections.set(line.slice(3), (section = []));
    else section.push(line);
  }

  test.each<[string, Operation, Verdict]>([
    ["test", "test", test_],
    ["switch", "switch", switch_],
    ["boot", "boot", boot],
    ["ng", "switch", switch_],
    ["bash", "switch", switch_],
  ])("%s", async (way, operation, verdict) => {
    const lines = sections.get(way) ?? [];
    const end = /^exit (\d+); current=(\w+) profile=\w+ boot=\w+ failed=(\S*) lists=/.exec(lines.findLast((line) => line !== "") ?? "");
    if (end === null) throw new Error(`${name} has no end of ${way}`);
    const [, printed, current, failed = ""] = end;
    // The action runs switch-to-configuration itself, of whose 4 the bash nixos-rebuild made 1.
    const code = way === "bash" && verdict === users ? 4 : printed;
    const found = await deploy(operation, lines, Number(code), current === "new", failed === "" ? [] : failed.split(","));
    expect(found).toEqual(expected(verdict));
  });
});

test.each(Object.entries(activations))("%s", async (name, [operation, exitCode, verdict]) => {
  expect(await deploy(operation, read("activation", name), exitCode, true, [])).toEqual(expected(verdict));
});

test("every recorded log has its verdict", () => {
  const names = (directory: string): string[] => readdirSync(join(recorded, directory)).map((file) => file.replace(/\.log$/, ""));
  expect(Object.keys(scenarios).toSorted()).toEqual(names("switch").toSorted());
  expect(Object.keys(activations).toSorted()).toEqual(names("activation").toSorted());
  expect(Object.keys(scenarios).length + Object.keys(activations).length).toBe(42);
});
