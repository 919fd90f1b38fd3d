import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { access, expectGreen, expectNothingLeft, resultsOf } from "./deployment.js";
import { everyRule } from "./every-rule.js";
import { type Behaviour, writeFlake } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";
import type { Machine } from "./rig/machine.js";
import type { StepResult } from "./rig/runner.js";

let fleet: Fleet;
const names = ["new", "old"];

beforeAll(async () => {
  fleet = await Fleet.start([
    { name: "new", suite: "forky", rebuild: "ng", systemProfile: true },
    { name: "old", suite: "bookworm", rebuild: "bash", systemProfile: true },
  ]);
});

afterAll(async () => {
  await fleet?.stop();
});

async function run(behaviour: Behaviour, inputs: Readonly<Record<string, string>> = {}): Promise<StepResult> {
  await writeFlake(`${fleet.directory}/flake`, Object.fromEntries(names.map((name) => [name, behaviour])), { git: true });
  const targets = names.map((name) => `root@${name}`).join("\n");
  return await fleet.runner.run({ inputs: { ...access(fleet), targets, ...inputs }, workspace: `${fleet.directory}/flake` });
}

/** What systemd knows of one unit at one time. */
type Seen = { readonly active: boolean; readonly invocation: string; readonly started: string };

/** Asks systemd for all units that a plan may speak of, and how often each was reloaded. */
async function look(machine: Machine): Promise<{ units: Map<string, Seen>; reloads: Map<string, number>; reexecutions: number }> {
  const text = await machine.output(
    "systemctl show --all -p Id,ActiveState,InvocationID,ExecMainStartTimestampMonotonic '*.service' '*.socket' '*.timer' '*.target' '*.path' '*.mount' '*.automount' '*.slice'",
  );
  const units = new Map(
    text.split("\n\n").map((block) => {
      const fields = new Map(block.split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
      const seen = {
        active: ["active", "activating", "reloading"].includes(fields.get("ActiveState") ?? ""),
        invocation: fields.get("InvocationID") ?? "",
        started: fields.get("ExecMainStartTimestampMonotonic") ?? "",
      };
      return [fields.get("Id") ?? "", seen];
    }),
  );
  const reloads = new Map<string, number>();
  const lines = await machine.output("cat /run/reloads 2>/dev/null; sed -n 's|^tmpfs /mnt/x .*size=\\([0-9]*k\\).*|size \\1|p' /proc/mounts; true");
  for (const line of lines.split("\n")) reloads.set(line, (reloads.get(line) ?? 0) + 1);
  const reexecutions = Number(await machine.output("journalctl --sync; journalctl _PID=1 | grep -c 'Reexecuting' || true"));
  return { units, reloads, reexecutions };
}

type Observed = Readonly<Record<"stop" | "start" | "restart" | "again" | "reload", string[]>>;

// Comes and goes with each connection and each question to the machine, not with the switch.
const passing =
  /^(?:nix-flake-deploy-|nixos-rebuild-|user@|user-runtime-dir@|user-\d+\.slice|nix-daemon\.|run-|ssh@|sshd@|systemd-(?:hostnamed|timedated|localed|logind)|background\.slice|system-.*\.slice)/;

// A oneshot that multi-user.target of Debian 12 wants: the plan must have it where it runs again.
const ofDebian: ReadonlySet<string> = new Set(["systemd-update-utmp-runlevel.service"]);

/** What became of each unit between two looks. */
function compare(before: Awaited<ReturnType<typeof look>>, after: Awaited<ReturnType<typeof look>>): Observed {
  const observed: Observed = { stop: [], start: [], restart: [], again: [], reload: [] };
  const nothing: Seen = { active: false, invocation: "", started: "" };
  for (const unit of new Set([...before.units.keys(), ...after.units.keys()])) {
    if (passing.test(unit) || unit === "sysinit-reactivation.target") continue;
    const [then, now] = [before.units.get(unit) ?? nothing, after.units.get(unit) ?? nothing];
    const ran = now.invocation !== "" && now.invocation !== then.invocation;
    if (then.active && !now.active) observed.stop.push(unit);
    else if (then.active && ran) observed.restart.push(unit);
    else if (!then.active && ran) (then.invocation === "" ? observed.start : observed.again).push(unit);
  }
  for (const [line, times] of after.reloads) {
    const unit = line.startsWith("size ") ? "mnt-x.mount" : line;
    if ((before.reloads.get(line) ?? 0) !== times) observed.reload.push(unit);
  }
  for (const list of Object.values(observed)) list.sort();
  return observed;
}

/** The plan of one host, from the lines of its section in the summary. */
function planOf(step: StepResult, name: string): Readonly<Record<string, string[]>> {
  const [, section = ""] = new RegExp(`<details><summary>[^\n]*<code>${name}</code>([^]*?)</details>`).exec(step.summary) ?? [];
  const lines = [...section.matchAll(/^- ([^:\n]+): (.*)$/gm)];
  return Object.fromEntries(lines.map(([, what = "", units = ""]) => [what, [...units.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "").toSorted()]));
}

describe("the plan of build", () => {
  test("is what the switch then does, unit by unit", async () => {
    await expectGreen(await run(everyRule.before), fleet.machines);
    for (const machine of fleet.machines) await machine.output(everyRule.prepare);
    const before = await Promise.all(fleet.machines.map(look));

    const build = await run(everyRule.after, { operation: "build", targets: names.map((name) => `nosudo@${name}`).join("\n") });
    await expectGreen(build, fleet.machines);
    const dry = await run(everyRule.after, { operation: "dry-activate" });
    await expectGreen(dry, fleet.machines);
    expect((await Promise.all(fleet.machines.map(look))).map((now, index) => compare(before[index] ?? now, now))).toEqual(
      names.map(() => ({ stop: [], start: [], restart: [], again: [], reload: [] })),
    );

    const step = await run(everyRule.after);
    await expectGreen(step, fleet.machines);
    for (const [index, machine] of fleet.machines.entries()) {
      const [then, now] = [before[index], await look(machine)];
      if (then === undefined) throw new Error("nobody looked");
      const { stop, start, restart, again, reload } = compare(then, now);
      // The system has every rule, and systemd shows each.
      expect({ stop, restart, reload, start, again: again.filter((unit) => !ofDebian.has(unit)) }).toEqual(everyRule.expected);
      const expected = { "would stop": stop, "would restart": restart, "would reload": reload, "would start": start, "would run again": again };
      const kept = { "would not restart despite changes": everyRule.kept };
      expect(planOf(build, machine.name)).toEqual({ ...expected, ...kept });
      expect(planOf(dry, machine.name)).toEqual({ ...expected, ...kept });
      expect(build.summary).toContain("- systemd would be re-executed\n");
      expect(now.reexecutions).toBe(then.reexecutions + 1);
    }
    for (const machine of fleet.machines) {
      expect(build.log).toContain(`[${machine.name}]   would run again: once-changed.service, once.service`);
      expect(build.log).toContain(`[${machine.name}]   systemd would be re-executed`);
    }
  });

  test("names the inhibitor that then refuses the switch", async () => {
    await expectGreen(await run({ inhibitors: { systemd: "260", dbus: "broker" }, text: "before" }), fleet.machines);
    const inhibited: Behaviour = { inhibitors: { systemd: "261", dbus: "broker" }, text: "after" };
    for (const operation of ["build", "dry-activate"]) {
      const plan = await run(inhibited, { operation });
      await expectGreen(plan, fleet.machines);
      for (const name of names) {
        expect(resultsOf(plan)[name]).toMatchObject({ status: "planned", inhibitors: ["systemd: 260 -> 261"] });
        expect(plan.log).toContain(`[${name}] switch inhibitor: systemd: 260 -> 261: switch and test would be refused`);
      }
      expect(plan.summary).toContain("- switch inhibitor: `systemd: 260 -> 261`: `switch` and `test` would be refused\n");
    }
    const step = await run(inhibited);
    expect(step.exitCode).toBe(1);
    await expectNothingLeft(step, fleet.machines);
    for (const name of names) expect(resultsOf(step)[name]).toMatchObject({ changed: false, inhibitors: ["systemd: 260 -> 261"] });
    expect(step.log).toContain("systemd : 260 -> 261");
  });
});
