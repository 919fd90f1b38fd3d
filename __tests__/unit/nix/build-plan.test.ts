import { expect, test } from "@jest/globals";

import { BuildPlanFolder } from "../../../src/nix/build-plan.js";
import { recording } from "./recording.js";

function folded(output: string): string[] {
  const folder = new BuildPlanFolder();
  return [...output.split("\n").flatMap((line) => folder.fold(line)), ...folder.end()];
}

const path = "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-busybox";

test("the list of derivations that a real NixOS prints is one line with its count", () => {
  const output = recording("build-fails-deep.log");
  expect(output.split("\n").filter((line) => /^ {2}\/nix\/store/.test(line))).toHaveLength(6);
  expect(folded(output).slice(0, 3)).toEqual([
    "building the system configuration...",
    "these 2157 derivations will be built",
    "building '/nix/store/5jrd75v747s76s16zxk59384xfcjqn58-bash-5.2.tar.gz.drv'...",
  ]);
  expect(folded(output)).toHaveLength(output.split("\n").length - 6);
});

test("the list of paths to fetch is one line with its sizes", () => {
  const lines = ["these 2 paths will be fetched (212.10 MiB download, 1034.53 MiB unpacked):", `  ${path}`, `  ${path}-1`, "copying path"];
  expect(folded(lines.join("\n"))).toEqual(["these 2 paths will be fetched (212.10 MiB download, 1034.53 MiB unpacked)", "copying path"]);
});

test("a single derivation or path is named in that line", () => {
  expect(folded(`this derivation will be built:\n  ${path}.drv\nthis path will be fetched (0.10 MiB download, 0.53 MiB unpacked):\n  ${path}`)).toEqual([
    `this derivation will be built: ${path}.drv`,
    `this path will be fetched (0.10 MiB download, 0.53 MiB unpacked): ${path}`,
  ]);
});

test("nothing is lost where the list is missing", () => {
  expect(folded("this derivation will be built:\nerror: x")).toEqual(["this derivation will be built:", "error: x"]);
  expect(folded("this derivation will be built:")).toEqual(["this derivation will be built:"]);
});

test("store paths outside of such a list stay", () => {
  expect(folded(`error: x\n  ${path}`)).toEqual(["error: x", `  ${path}`]);
});
