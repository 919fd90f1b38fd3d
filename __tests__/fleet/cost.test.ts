import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { CountedPrograms } from "./counted-programs.js";
import { access, expectGreen } from "./deployment.js";
import { writeFlake } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";

// What one deployment costs, counted and not timed. A session takes three round trips and each script in it one more; a change that
// adds a script, a session or a process has to change these numbers.

let fleet: Fleet;
let counted: CountedPrograms;

beforeAll(async () => {
  fleet = await Fleet.start(["web1", "web2"]);
  counted = new CountedPrograms(fleet);
});

afterAll(async () => {
  await fleet?.stop();
});

async function commit(text: string): Promise<void> {
  await writeFlake(`${fleet.directory}/flake`, { web1: { text }, web2: { text } }, { git: true });
}

async function deploy(inputs: Readonly<Record<string, string>> = {}) {
  const workspace = `${fleet.directory}/flake`;
  counted.take();
  const step = { inputs: { ...access(fleet), targets: "root@web1", ...inputs }, workspace, env: { PATH: counted.searchPath } };
  const run = await fleet.runner.run(step);
  const cost = counted.take();
  await expectGreen(run, fleet.machines);
  return { status: run.outputs["status"], ...cost };
}

type Programs = Readonly<Record<string, number>>;

// Of one run, however many machines it has.
const perRun: Programs = { "nix flake": 2, "nix-store --add": 1, "prlimit --pid": 1 };
// Nix itself asks for the master: that is the control.
const perMachine: Programs = { "nix flake": 1, "ssh control": 1, "ssh master": 1, "ssh nix": 1, "ssh session": 1 };
const freshConnection: Programs = { "ssh master": 1, "ssh session": 1 };

function sum(...all: readonly Programs[]): Programs {
  const programs: Record<string, number> = {};
  for (const [program, number] of all.flatMap((some) => Object.entries(some))) programs[program] = (programs[program] ?? 0) + number;
  return programs;
}

test("a change, nothing to do and a change without protection cost what they must", async () => {
  await commit("first");
  await deploy();
  await commit("second");
  expect(await deploy()).toEqual({ status: "deployed", programs: sum(perRun, perMachine, freshConnection), scripts: 6 });
  expect(await deploy()).toEqual({ status: "unchanged", programs: sum(perRun, perMachine), scripts: 3 });
  await commit("third");
  expect(await deploy({ rollback: "false" })).toEqual({
    status: "deployed",
    programs: sum(perRun, perMachine, freshConnection),
    scripts: 6,
  });
});

test("a machine that is reached before the flake can be sent is prepared by a script of its own", async () => {
  counted.order("machine");
  try {
    await commit("late");
    expect(await deploy()).toEqual({ status: "deployed", programs: sum(perRun, perMachine, freshConnection), scripts: 7 });
  } finally {
    counted.order("flake");
  }
});

test("a further machine adds what each machine costs, and nothing of the runner's Nix", async () => {
  await commit("fourth");
  await deploy({ targets: "root@web1\nroot@web2" });
  await commit("fifth");
  const { status, programs } = await deploy({ targets: "root@web1\nroot@web2" });
  const each = sum(perMachine, freshConnection);
  expect({ status, programs }).toEqual({ status: "deployed", programs: sum(perRun, each, each) });
});
