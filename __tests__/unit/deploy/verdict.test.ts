import { describe, expect, test } from "@jest/globals";

import { judge, type Verdict } from "../../../src/deploy/verdict.js";
import type { ActivationCause } from "../../../src/domain/activation-cause.js";
import type { Operation } from "../../../src/domain/operation.js";
import { newSystem } from "./fake-machine.js";

type Case = {
  readonly operation?: Operation;
  readonly exitCode?: number;
  readonly before?: readonly string[];
  readonly restarting?: readonly string[];
  readonly after?: readonly string[];
};

function verdictOn(causes: readonly ActivationCause[], { operation = "switch", exitCode = 4, before = [], restarting = [], after = [] }: Case = {}): Verdict {
  const end = { exitCode, causes, after: { failedUnits: after } };
  return judge({ operation, toplevel: newSystem, before: { failedUnits: before, restartingUnits: restarting }, end });
}

const failed = (unit: string): ActivationCause => ({ kind: "unit", unit, what: "failed" });
const user: ActivationCause = { kind: "user", user: "alice", units: ["agent.service"], late: false };

describe("exit code 4", () => {
  test("without a cause is a failure", () => {
    expect(verdictOn([]).failure?.reason).toBe("switch-to-configuration failed without naming a cause (exit code 4)");
  });

  test("is green where every unit that it names had failed before, and not where one had not", () => {
    expect(verdictOn([failed("a.service"), failed("b.service")], { before: ["a.service", "b.service"] })).toEqual({
      failure: undefined,
      units: undefined,
      users: undefined,
      failedUnits: [],
    });
    expect(verdictOn([failed("a.service"), failed("b.service")], { before: ["a.service"] })).toMatchObject({ failedUnits: ["b.service"], failure: undefined });
  });

  test("is green where the unit was restarted again and again before", () => {
    expect(verdictOn([failed("a.service")], { restarting: ["a.service"] }).units).toBeUndefined();
  });

  test("by a user is neither a failure nor plain green", () => {
    expect(verdictOn([user])).toMatchObject({
      failure: undefined,
      units: undefined,
      users: { reason: "the user activation failed for alice (agent.service)" },
    });
  });

  test("by a snippet is a failure, also beside a unit that had failed before", () => {
    const snippet: ActivationCause = { kind: "snippet", snippet: "users", exitCode: 1 };
    expect(verdictOn([failed("a.service"), snippet], { before: ["a.service"] }).failure?.reason).toBe(
      "the activation script snippet 'users' (1) failed (exit code 4)",
    );
  });
});

test("a signal is a failure, whatever was named before it came", () => {
  for (const causes of [[failed("a.service")], [user]])
    expect(verdictOn(causes, { exitCode: 137, before: ["a.service"] }).failure?.reason).toBe("switch-to-configuration was killed by signal 9 (exit code 137)");
});

test("exit code 0 has no cause, whatever a script has printed, but the units that are failed count", () => {
  expect(verdictOn([failed("a.service"), { kind: "no-space" }], { exitCode: 0 })).toMatchObject({ failure: undefined, units: undefined, failedUnits: [] });
  expect(verdictOn([], { exitCode: 0, after: ["late.service"] }).units?.reason).toBe("newly failed units: late.service");
});

test("units and users explain exit code 4 alone: with another one the switch has stopped in the middle", () => {
  const nothing = "switch-to-configuration failed without naming a cause (exit code 1)";
  expect(verdictOn([failed("a.service")], { exitCode: 1, before: ["a.service"] }).failure?.reason).toBe(nothing);
  expect(verdictOn([user], { exitCode: 1 }).failure?.reason).toBe(nothing);
  expect(verdictOn([failed("a.service")], { exitCode: 1 }).failure?.reason).toBe("newly failed units (exit code 1): a.service");
});

test("a user whose activation failed is never plain green, also with exit code 0", () => {
  expect(verdictOn([user], { exitCode: 0 })).toMatchObject({ failure: undefined, users: { reason: "the user activation failed for alice (agent.service)" } });
});

test.each([137, 143])("exit code %i is that of a program that was killed", (exitCode) => {
  expect(verdictOn([], { exitCode }).failure?.reason).toBe(`switch-to-configuration was killed by signal ${exitCode - 128} (exit code ${exitCode})`);
});

describe("the cause that applies first is named", () => {
  test.each<[readonly ActivationCause[], RegExp]>([
    [[{ kind: "profile" }, { kind: "no-space" }], /^the system profile could not be set \(exit code 1\): no space is left on the device$/],
    [[{ kind: "no-space" }, { kind: "boot-loader" }], /^the boot loader could not be installed \(exit code 1\): no space is left on the device$/],
    [[{ kind: "no-space" }, { kind: "activation-script" }], /^the activation script failed \(exit code 1\): no space is left on the device$/],
    [[{ kind: "no-space" }], /^no space is left on the device \(exit code 1\)$/],
    [[{ kind: "activation-script" }, { kind: "snippet", snippet: "a", exitCode: 1 }], /^the activation script snippet 'a' \(1\) failed/],
    [
      [
        { kind: "snippet", snippet: "a", exitCode: 1 },
        { kind: "snippet", snippet: "b", exitCode: 2 },
      ],
      /^the activation script snippets 'a' \(1\), 'b' \(2\) failed/,
    ],
    [[{ kind: "locked" }], /^another switch-to-configuration is running on the machine/],
    [[{ kind: "not-nixos" }], /^switch-to-configuration does not recognize the machine as NixOS/],
    [[{ kind: "user-left" }], /^logind stopped the services of a user during the switch, so the changed units were not started/],
    [[{ kind: "logind" }], /^logind did not list the users, so the changed units were not started/],
    [[{ kind: "inhibitor", changes: [] }], /^a switch inhibitor refuses to activate the new system while the old one runs \(exit code 1\)$/],
  ])("%j", (causes, reason) => {
    const { failure } = verdictOn(causes, { exitCode: 1 });
    expect(failure?.reason).toMatch(reason);
    expect(failure?.hint).not.toBe("");
  });
});

describe("the hint is right for the operation", () => {
  const inhibitor: ActivationCause = { kind: "inhibitor", changes: ["systemd: 262 -> 263"] };

  test.each<[Operation, RegExp]>([
    ["switch", /^Deploy with `operation: boot`, then reboot the machine$/],
    ["test", /^Deploy with `operation: boot`, then reboot the machine$/],
    // `operation: boot` would build the flake, which is not what was asked for.
    ["rollback", /^Run `nix-env .*--set \/nix\/store\/\S+ && \/nix\/store\/\S+\/bin\/switch-to-configuration boot` on the machine, then reboot it$/],
  ])("of a refused %s", (operation, hint) => {
    expect(verdictOn([inhibitor], { operation, exitCode: 1 }).failure?.hint).toMatch(hint);
  });

  test("of a check that fails for `boot`, too, is not to try `boot`", () => {
    const { failure } = verdictOn([{ kind: "pre-switch-check", check: "disk" }], { operation: "boot", exitCode: 1 });
    expect(failure?.hint).not.toContain("operation: boot");
  });

  test("of a full disk names /boot only where the boot loader is written", () => {
    const hint = (operation: Operation): string => verdictOn([{ kind: "no-space" }], { operation, exitCode: 1 }).failure?.hint ?? "";
    expect(hint("switch")).toContain("/boot");
    expect(hint("test")).not.toContain("/boot");
  });
});

test("a user whose part took too long is named with that", () => {
  expect(verdictOn([{ kind: "user", user: "bob", units: [], late: true }]).users?.reason).toBe("the user activation failed for bob (timed out after 60 s)");
});
