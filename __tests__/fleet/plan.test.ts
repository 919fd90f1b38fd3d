import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";

import { access, expectGreen, expectNothingLeft, resultsOf, systemOf, toplevelOf } from "./deployment.js";
import { type Behaviour, failingUnit, runningUnit, writeFlake } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";
import type { StepResult } from "./rig/runner.js";

// What runs, and what is to run. Its own texts in every test, so that there is always something to do.
const packages = {
  before: { nginx: "1.28.0", hello: "2.12.1", "python3.13-requests": "2.32.3" },
  after: { nginx: "1.28.1", curl: "8.15.0", "python3.13-requests": "2.32.3" },
};
const reload = (text: string): string => `${runningUnit(text)}X-ReloadIfChanged=true\nExecReload=/bin/true\n`;
const keep = (text: string): string => `${runningUnit(text)}X-RestartIfChanged=false\n`;
const before: Behaviour = {
  packages: packages.before,
  units: {
    "web.service": runningUnit("one"),
    "reload.service": reload("one"),
    "keep.service": keep("one"),
    "gone.service": runningUnit(),
    "same.service": runningUnit(),
  },
};
const after: Behaviour = {
  packages: packages.after,
  units: {
    "web.service": runningUnit("two"),
    "reload.service": reload("two"),
    "keep.service": keep("two"),
    "new.service": runningUnit(),
    "same.service": runningUnit(),
  },
  kernel: "6.12.58",
};

const machines = ["ng", "bash", "old"];
let fleet: Fleet;

beforeAll(async () => {
  fleet = await Fleet.start([
    { name: "ng", suite: "forky", rebuild: "ng", systemProfile: true },
    { name: "bash", suite: "trixie", rebuild: "bash", systemProfile: true },
    { name: "old", suite: "bookworm", rebuild: "bash", systemProfile: true },
  ]);
});

afterAll(async () => {
  await fleet?.stop();
});

async function run(behaviour: Behaviour, inputs: Readonly<Record<string, string>> = {}): Promise<StepResult> {
  await writeFlake(`${fleet.directory}/flake`, Object.fromEntries(machines.map((name) => [name, behaviour])), { git: true });
  return await runAgain(inputs);
}

/** Deploys the same commit once more. */
async function runAgain(inputs: Readonly<Record<string, string>> = {}): Promise<StepResult> {
  const targets = machines.map((name) => `deploy@${name}`).join("\n");
  return await fleet.runner.run({ inputs: { ...access(fleet), targets, ...inputs }, workspace: `${fleet.directory}/flake` });
}

/** Leaves out a oneshot of Debian's own on the older machines, which runs again at every switch as it does on no NixOS. */
function withoutDebian(section: string): string {
  return section.replace("- would run again: `systemd-update-utmp-runlevel.service`\n", "");
}

/** The folded section of one machine. */
function sectionOf(summary: string, name: string): string {
  const [, section] = new RegExp(`<details><summary>[^\n]*<code>${name}</code>([^]*?)</details>`).exec(summary) ?? [];
  if (section === undefined) throw new Error(`there is no section of ${name} in\n${summary}`);
  return section;
}

/** What a diff block of the section says, without the sizes. */
function changesIn(section: string): string[] {
  const [, block = ""] = /```diff\n([^]*?)```/.exec(section) ?? [];
  return block.split("\n").flatMap((line) => (line === "" ? [] : [line.replace(/ \([^)]*\)$/, "")]));
}

const expectedChanges = ["! linux 6.12.50 → 6.12.58", "! nginx 1.28.0 → 1.28.1", "+ curl 8.15.0", "- hello 2.12.1"];

const old = new Map<string, string>();
let texts = 0;

/** Gives all machines a system that the next one is compared with. */
async function deployOld(): Promise<void> {
  texts += 1;
  const step = await run({ ...before, text: `before ${texts}` }, { diff: "false" });
  await expectGreen(step, fleet.machines);
  for (const { name } of fleet.machines) old.set(name, toplevelOf(step, name));
}

beforeEach(async () => {
  const runsOld = await Promise.all(fleet.machines.map(async (machine) => old.get(machine.name) === (await machine.currentSystem())));
  // After a plan there is nothing to do: it has changed nothing.
  if (!runsOld.every(Boolean)) await deployOld();
});

describe("a plan", () => {
  test("of dry-activate reports packages and units, and changes nothing", async () => {
    const systems = await Promise.all(fleet.machines.map(systemOf));
    const step = await run(after, { operation: "dry-activate" });
    await expectGreen(step, fleet.machines);
    expect(await Promise.all(fleet.machines.map(systemOf))).toEqual(systems);
    for (const name of machines) {
      const section = withoutDebian(sectionOf(step.summary, name));
      expect(changesIn(section)).toEqual(expectedChanges);
      expect(section).toContain(
        "Units (reported by `dry-activate`):\n\n- would stop: `gone.service`\n- would restart: `web.service`\n- would reload: `reload.service`\n" +
          "- would start: `new.service`\n- would not restart despite changes: `keep.service`\n",
      );
      expect(step.log).toContain(`[${name}]   nginx 1.28.0 → 1.28.1`);
      expect(step.summary).toMatch(new RegExp(`^\\| 📋 \\| \`${name}\` .*\\| planned \\| activate \\| \\d+ \\| \\+1 −1 ~2 \\|`, "m"));
    }
  });

  test("of build needs no rights on the machine, and compares the unit files", async () => {
    const systems = await Promise.all(fleet.machines.map(systemOf));
    const step = await run(after, { operation: "build", targets: machines.map((name) => `nosudo@${name}`).join("\n") });
    await expectGreen(step, fleet.machines);
    expect(step.outputs).toMatchObject({ status: "planned", changed: "false" });
    expect(await Promise.all(fleet.machines.map(systemOf))).toEqual(systems);
    for (const name of machines) {
      const section = withoutDebian(sectionOf(step.summary, name));
      expect(changesIn(section)).toEqual(expectedChanges);
      expect(section).toContain(
        "Units (from a comparison of the unit files):\n\n- would stop: `gone.service`\n- would restart: `web.service`\n- would reload: `reload.service`\n" +
          "- would start: `new.service`\n- would not restart despite changes: `keep.service`\n",
      );
    }
    // The file for a comment says the same.
    expect(step.comment).toBe(step.summary);
    expect(step.outputs["summary-path"]).toMatch(/\/nix-flake-deploy-summary-[0-9a-f]{12}\.md$/);
  });

  test("sizes are those of the machine's Nix", async () => {
    const step = await run({ ...after, sizes: { curl: 300, nginx: 20 } }, { operation: "build" });
    await expectGreen(step, fleet.machines);
    for (const machine of fleet.machines) {
      const sum = "{ sum=0; while read -r bytes; do sum=$((sum + bytes)); done; echo $sum; }";
      const bytes = async (path: string): Promise<number> =>
        Number(await machine.output(`nix-store --query --requisites ${path} | xargs nix-store --query --size | ${sum}`));
      const grown = (await bytes(toplevelOf(step, machine.name))) - (await bytes(await machine.currentSystem()));
      expect(grown).toBeGreaterThan(320 * 1024);
      const section = sectionOf(step.summary, machine.name);
      expect(section).toContain(`size +${(grown / 1024).toFixed(1)} KiB`);
      expect(section).toMatch(/\n\+ curl 8\.15\.0 \(\+30\d\.\d KiB\)\n/);
      expect(section).toMatch(/\n! nginx 1\.28\.0 → 1\.28\.1 \(\+2\d\.\d KiB\)\n/);
    }
  });
});

describe("a switch", () => {
  test("reports what changed", async () => {
    const step = await run(after);
    await expectGreen(step, fleet.machines);
    for (const machine of fleet.machines) {
      const section = sectionOf(step.summary, machine.name);
      expect(changesIn(section)).toEqual(expectedChanges);
      expect(section).toContain(
        "Units (reported by the activation):\n\n- stopped: `gone.service`\n- restarted: `web.service`\n- reloaded: `reload.service`\n" +
          "- started: `new.service`\n- not restarted despite changes: `keep.service`\n",
      );
      const generations = await machine.generations();
      const last = generations.at(-1)?.number ?? 0;
      expect(resultsOf(step)[machine.name]).toMatchObject({ status: "deployed", generation: last, "previous-generation": last - 1 });
      expect(step.summary).toContain(`| ${last - 1} → ${last} |`);
    }
    expect(step.summary).toContain("```mermaid\n");
    for (const phase of ["connect", "copy", "build", "activate", "confirm"]) expect(step.log).toContain(`[ng] == ${phase}`);
  });

  test("that is rolled back reports what would have changed", async () => {
    const step = await run({ ...after, units: { ...after.units, "bad.service": failingUnit } });
    expect(step.exitCode).toBe(1);
    await expectNothingLeft(step, fleet.machines);
    for (const name of machines) {
      expect(resultsOf(step)[name]).toMatchObject({ status: "rolled-back" });
      const section = withoutDebian(sectionOf(step.summary, name));
      expect(section).toContain("bad.service");
      expect(changesIn(section)).toEqual(expectedChanges);
      expect(section).toContain("Units (reported by the activation), before the rollback:\n\n- stopped: `gone.service`\n");
    }
  });

  test("of the same system has nothing to report", async () => {
    await deployOld();
    const step = await runAgain();
    await expectGreen(step, fleet.machines);
    expect(step.outputs["status"]).toBe("unchanged");
    expect(step.summary).not.toContain("```diff");
    expect(step.log).not.toContain("packages:");
  });

  test("with diff: false reports no packages, and with summary: false writes only the file", async () => {
    const step = await run(after, { diff: "false", summary: "false" });
    await expectGreen(step, fleet.machines);
    expect(step.summary).toBe("");
    expect(step.comment).toMatch(/^### ✅ 3 hosts deployed\n/);
    expect(step.comment).not.toContain("```diff");
    expect(step.log).not.toContain("packages:");
  });

  test("succeeds even if the machine cannot compare the systems", async () => {
    for (const machine of fleet.machines) {
      // In front of Nix in PATH, for the user and under sudo.
      await machine.output(`printf '#!/bin/sh\\ncase " $* " in *" path-info "*) echo "error: no luck today" >&2; exit 1 ;; esac\\nexec /usr/bin/nix "$@"\\n' > /usr/local/bin/nix
        chmod +x /usr/local/bin/nix; cp /usr/local/bin/nix /usr/sbin/nix`);
    }
    try {
      const step = await run(after);
      await expectGreen(step, fleet.machines);
      expect(step.outputs["deployed"]).toBe("3");
      // Asked once: a Nix that takes long would hold up the deployment twice.
      const note = (name: string): string => `[${name}] the old and the new system could not be compared: error: no luck today\n`;
      for (const name of machines) expect(step.log.split(note(name))).toHaveLength(2);
      expect(step.summary).not.toContain("```diff");
    } finally {
      for (const machine of fleet.machines) await machine.output("rm /usr/local/bin/nix /usr/sbin/nix");
    }
  });
});
