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
  fleet = await Fleet.start(["web1"]);
  counted = new CountedPrograms(fleet);
});

afterAll(async () => {
  await fleet?.stop();
});

async function commit(text: string): Promise<void> {
  await writeFlake(`${fleet.directory}/flake`, { web1: { text } }, { git: true });
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

// Programs of one run, however many machines it has.
const onRunner = { "nix flake": 2, "nix-store --add": 1, "nix-store --query": 2, "prlimit --pid": 1, "ssh-keygen -y": 1 };
// Nix itself asks for the master.
const onePerMachine = { "nix flake": 3, "ssh control": 1, "ssh master": 1, "ssh nix": 1, "ssh session": 1 };
const freshConnection = { "ssh master": 2, "ssh session": 2 };

test("a change, nothing to do and a change without protection cost what they must", async () => {
  await commit("first");
  await deploy();
  await commit("second");
  expect(await deploy()).toEqual({ status: "deployed", programs: { ...onRunner, ...onePerMachine, ...freshConnection }, scripts: 11 });
  expect(await deploy()).toEqual({ status: "unchanged", programs: { ...onRunner, ...onePerMachine }, scripts: 4 });
  await commit("third");
  expect(await deploy({ rollback: "false" })).toEqual({
    status: "deployed",
    programs: { ...onRunner, ...onePerMachine, ...freshConnection },
    scripts: 10,
  });
});
