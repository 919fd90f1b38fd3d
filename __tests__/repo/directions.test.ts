import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { root } from "../../scripts/paths.js";
import { findCircle, importsBelow, importsOf, type Import } from "./imports.js";

type Rule = {
  /** Folders below `src/` that a folder knows, itself not named. */
  readonly knows: readonly string[];
  /** Modules of which it knows the types alone. */
  readonly types?: readonly string[];
  /** Packages and modules of Node. */
  readonly packages: RegExp;
};

const node = /^node:/;
const rules: Readonly<Record<string, Rule>> = {
  domain: { knows: [], packages: /^$/ },
  process: { knows: ["domain"], packages: /^node:|^@actions\/(io|exec)$/ },
  git: { knows: ["domain", "process"], types: ["src/machines/ports.ts"], packages: node },
  ssh: { knows: ["domain", "process"], packages: node },
  nix: { knows: ["domain", "process"], types: ["src/machines/ports.ts"], packages: node },
  nixos: { knows: ["domain", "process", "ssh", "nix"], types: ["src/deploy/ports.ts"], packages: node },
  machines: { knows: ["domain"], packages: /^$/ },
  deploy: { knows: ["domain"], packages: node },
  inputs: { knows: ["domain", "ssh", "nix", "nixos"], types: ["src/deploy/run-settings.ts"], packages: node },
  report: { knows: ["domain"], packages: /^node:(path|util)$/ },
  github: { knows: ["domain", "report"], types: ["src/deploy/ports.ts"], packages: /^node:|^@actions\/core$/ },
  entry: { knows: ["domain", "git", "github", "inputs", "machines", "nix", "nixos", "process", "report", "ssh", "deploy"], packages: node },
};

function layerOf(module: string): string {
  return /^src\/([^/]+)\//.exec(module)?.[1] ?? "";
}

/** What the imports have against the one direction, a sentence each. */
function violations(imports: readonly Import[]): string[] {
  return imports.flatMap(({ from, to, line, typeOnly }) => {
    const refuse = (reason: string): string[] => [`${from}:${line} imports ${to}: ${reason}`];
    if (to === "node:child_process" && layerOf(from) !== "process") return refuse("only src/process starts programs");
    if (to === "@actions/core" && layerOf(from) !== "github") return refuse("only src/github speaks to the runner");
    if (layerOf(to) === "entry" && layerOf(from) !== "entry") return refuse("nothing imports an entry point");
    const layer = layerOf(from);
    const rule = rules[layer];
    if (rule === undefined) return refuse("this module belongs to no folder that has a rule");
    if (!to.startsWith("src/")) return rule.packages.test(to) ? [] : refuse(`src/${layer} knows no such package`);
    if (layerOf(to) === layer || rule.knows.includes(layerOf(to))) return [];
    if (rule.types?.includes(to) === true) return typeOnly ? [] : refuse(`src/${layer} knows only its types`);
    return refuse(`src/${layer} knows ${["itself", ...rule.knows].join(", ")}`);
  });
}

describe("the one direction of imports", () => {
  const imports = importsBelow("src");

  test("every import of src goes in it", () => {
    expect(imports.length).toBeGreaterThan(50);
    expect(violations(imports)).toEqual([]);
  });

  test("no import goes to a file that is not there", () => {
    expect(imports.filter(({ to }) => to.startsWith("src/") && !existsSync(join(root, to)))).toEqual([]);
  });

  test("every folder of src has a rule", () => {
    const folders = readdirSync(join(root, "src"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map(({ name }) => name).filter((name) => rules[name] === undefined)).toEqual([]);
  });

  test("there is no circle", () => {
    expect(findCircle(imports)).toBeUndefined();
  });
});

describe("outside of src", () => {
  const rig = "__tests__/fleet/rig/";

  test("the rig imports neither scripts nor tests, nor the code that it tests", () => {
    const imports = importsBelow(rig);
    expect(imports.length).toBeGreaterThan(50);
    expect(imports.filter(({ to }) => !to.startsWith(rig) && !to.startsWith("node:"))).toEqual([]);
  });

  test("scripts import no tests, and so not the rig", () => {
    const imports = importsBelow("scripts");
    expect(imports.length).toBeGreaterThan(50);
    expect(imports.filter(({ to }) => to.startsWith("__tests__/"))).toEqual([]);
  });

  test("src imports neither scripts nor tests", () => {
    expect(importsBelow("src").filter(({ to }) => /^(?:scripts|__tests__)\//.test(to))).toEqual([]);
  });
});

describe("the check itself", () => {
  const check = (from: string, source: string): string[] => violations(importsOf(from, source));

  test.each([
    ["a static import", "src/domain/x.ts", 'import { run } from "../process/run.js";'],
    ["an import of a type", "src/domain/x.ts", 'import type { Command } from "../process/run.js";'],
    ["an import type in an expression", "src/domain/x.ts", 'export type X = import("../process/run.js").Command;'],
    ["a re-export", "src/ssh/x.ts", 'export { nixCommand } from "../nix/local.js";'],
    ["a re-export of all", "src/ssh/x.ts", 'export * from "../nix/local.js";'],
    ["a dynamic import", "src/deploy/x.ts", 'const { Connection } = await import("../ssh/connection.js");'],
    ["an import for its effect", "src/deploy/x.ts", 'import "../ssh/connection.js";'],
    ["a module of Node in the domain", "src/domain/x.ts", 'import { join } from "node:path";'],
    ["a value of the ports", "src/github/x.ts", 'import { ports } from "../deploy/ports.js";'],
    ["a program started elsewhere", "src/nix/x.ts", 'import { spawn } from "node:child_process";'],
    ["the runner's toolkit elsewhere", "src/nix/x.ts", 'import * as core from "@actions/core";'],
    ["an entry point", "src/github/x.ts", 'import { deploy } from "../entry/deploy.js";'],
    ["a folder without a rule", "src/util/x.ts", 'import { join } from "node:path";'],
  ])("finds %s", (_, from, source) => {
    expect(check(from, source)).toHaveLength(1);
  });

  test.each([
    ["a comment", "src/domain/x.ts", '// import { run } from "../process/run.js";'],
    ["a text", "src/domain/x.ts", `export const text = 'import { run } from "../process/run.js"';`],
    ["a type of the ports", "src/github/x.ts", 'import type { HostLog } from "../deploy/ports.js";'],
    ["the same folder", "src/domain/x.ts", 'export * from "./target.js";'],
  ])("passes over %s", (_, from, source) => {
    expect(check(from, source)).toEqual([]);
  });

  test("finds a circle", () => {
    const imports = [
      ...importsOf("src/domain/a.ts", 'import { b } from "./b.js";'),
      ...importsOf("src/domain/b.ts", 'import type { C } from "./c.js";'),
      ...importsOf("src/domain/c.ts", 'export * from "./b.js";'),
    ];
    expect(findCircle(imports)).toEqual(["src/domain/b.ts", "src/domain/c.ts", "src/domain/b.ts"]);
  });
});
