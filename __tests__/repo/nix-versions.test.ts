import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "@jest/globals";

import { root } from "../../scripts/paths.js";
import { cellName, commonRunners, machineNixes, otherRunners } from "../fleet/nix-matrix.js";

test("the table of docs/nix-versions.md names the test of every Nix of a runner with every Nix of a machine", () => {
  const [, section = ""] = readFileSync(join(root, "docs/nix-versions.md"), "utf8").split("## Runner × machine\n");
  const rows = section
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim().replaceAll("`", "")),
    );
  const [heads = [], , ...body] = rows;
  expect(heads.slice(1)).toEqual(machineNixes.map(({ nix }) => nix));
  expect(body).toEqual([...commonRunners, ...otherRunners].map((runner) => [runner.nix, ...machineNixes.map((machine) => cellName(runner, machine))]));
});
