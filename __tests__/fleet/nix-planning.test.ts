import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { access, expectGreen, resultsOf } from "./deployment.js";
import { runnerNixes } from "./nix-matrix.js";
import { type Behaviour, writeFlake } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";
import type { Runner } from "./rig/runner.js";
import { writeToolFlake } from "./tool-flakes.js";

// What is evaluated on the runner, under every Nix that may be there: the flake is evaluated as it stands in the store, where
// some of them do not put it by themselves.

let fleet: Fleet;

beforeAll(async () => {
  fleet = await Fleet.start(["web1", { name: "db1", sshPort: 2222 }]);
});

afterAll(async () => await fleet?.stop());

// `nix eval --apply` of all outputs needs 2.19.
const evaluating = runnerNixes.filter(({ spec }) => spec.suite !== "bookworm");

describe.each(evaluating.map((runner) => ({ ...runner, runner })))("with $nix on the runner", ({ runner }) => {
  let place: Runner;
  let directory: string;

  beforeAll(async () => {
    place = await fleet.addRunner(runner.spec);
    directory = `${fleet.directory}/planning-${runner.nix.replaceAll(" ", "-")}`;
  });

  test.each([".", "./nix/my machines"])("matrix/ leaves out what has not changed since a commit, of the flake %s", async (flake) => {
    const repository = `${directory}/changed-${flake.length}`;
    const subdirectory = flake === "." ? {} : { subdirectory: flake.slice(2) };
    const commit = async (texts: Readonly<Record<string, string>>): Promise<string> =>
      await writeFlake(repository, Object.fromEntries(Object.entries(texts).map(([name, text]): [string, Behaviour] => [name, { text }])), {
        git: true,
        ...subdirectory,
      });
    await commit({ web1: "the same", db1: "one" });
    await commit({ web1: "the same", db1: "two" });
    const run = await place.run({
      inputs: { flake, "changed-since": "HEAD~1" },
      workspace: repository,
      entry: "dist/matrix.js",
      actionFile: "matrix/action.yml",
      post: false,
    });
    expect(run.annotations).toEqual([]);
    expect(JSON.parse(run.outputs["hosts"] ?? "")).toEqual(["db1"]);
    expect(run.exitCode).toBe(0);
  });

  test("a hive is listed, and its nodes are built from the flake around it", async () => {
    const repository = `${directory}/hive`;
    const commit = await writeToolFlake("colmena", repository, place);
    const run = await place.run({ inputs: access(fleet), workspace: repository });
    await expectGreen(run, fleet.machines);
    for (const machine of fleet.machines) {
      expect(resultsOf(run)[machine.name]).toMatchObject({ configuration: `colmenaHive.nodes.${machine.name}`, status: "deployed" });
      expect(await machine.output("/run/current-system/sw/bin/nixos-version --configuration-revision")).toBe(commit);
    }
  });
});
