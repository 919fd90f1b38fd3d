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

async function deploy(text: string, inputs: Readonly<Record<string, string>> = {}) {
  const workspace = await writeFlake(`${fleet.directory}/flake`, { web1: { text } }, { git: true });
  counted.take();
  const step = { inputs: { ...access(fleet), targets: "root@web1", ...inputs }, workspace, env: { PATH: counted.searchPath } };
  const run = await fleet.runner.run(step);
  const cost = counted.take();
  await expectGreen(run, fleet.machines);
  return { status: run.outputs["status"], ...cost };
}

const onRunner = { "nix flake": 3, "nix-store --add": 1, "nix-store --query": 1, "prlimit --pid": 1, "ssh-keygen -y": 1 };

test("a change, nothing to do and a change without protection cost what they must", async () => {
  await deploy("first");
  expect(await deploy("second")).toEqual({
    status: "deployed",
    programs: { ...onRunner, "ssh control": 3, "ssh master": 2, "ssh nix": 1, "ssh session": 2 },
    scripts: 13,
  });
  expect(await deploy("second")).toEqual({
    status: "unchanged",
    programs: { ...onRunner, "ssh control": 2, "ssh master": 1, "ssh nix": 1, "ssh session": 1 },
    scripts: 5,
  });
  expect(await deploy("third", { rollback: "false" })).toEqual({
    status: "deployed",
    programs: { ...onRunner, "ssh control": 3, "ssh master": 2, "ssh nix": 1, "ssh session": 2 },
    scripts: 13,
  });
});
