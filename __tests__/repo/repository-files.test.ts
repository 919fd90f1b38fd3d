import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";
import { parse } from "yaml";

import { field } from "../../src/domain/json.js";
import { root } from "../../scripts/paths.js";

// GitHub drops a form with an error in it, and shows the error only on its own pages.

const directory = ".github/ISSUE_TEMPLATE";
const forms = readdirSync(join(root, directory)).filter((name) => name !== "config.yml");

function load(path: string): unknown {
  return parse(readFileSync(join(root, path), "utf8"));
}

function bodyOf(form: unknown): unknown[] {
  const body = field(form, "body");
  return Array.isArray(body) ? body : [];
}

/** What GitHub has against an issue form, one sentence each: the keys that its documentation requires. */
function formProblems(form: unknown): string[] {
  const body = bodyOf(form);
  const problems = ["name", "description"].filter((key) => typeof field(form, key) !== "string").map((key) => `${key} is missing`);
  if (!body.some((element) => field(element, "type") !== "markdown")) problems.push("there is no field");
  const ids = new Set<unknown>();
  for (const [index, element] of body.entries()) {
    const [type, id] = [field(element, "type"), field(element, "id")];
    const needed = { markdown: "value", input: "label", textarea: "label", dropdown: "options" }[String(type)];
    if (needed === undefined) problems.push(`element ${index + 1} has the unknown type ${String(type)}`);
    else if (field(element, "attributes", needed) === undefined) problems.push(`element ${index + 1} has no ${needed}`);
    if (type === "markdown") continue;
    if (typeof field(element, "attributes", "label") !== "string") problems.push(`element ${index + 1} has no label`);
    if (typeof id !== "string" || !/^[\w-]+$/.test(id)) problems.push(`element ${index + 1} has no valid id`);
    if (ids.has(id)) problems.push(`the id ${String(id)} is listed twice`);
    ids.add(id);
  }
  return problems;
}

describe("the issue forms", () => {
  test.each(forms)("GitHub can show %s", (name) => {
    expect(formProblems(load(`${directory}/${name}`))).toEqual([]);
  });

  test("a form with errors is found", () => {
    const body = [
      { type: "textbox", id: "one", attributes: { label: "One" } },
      { type: "input", attributes: { label: "Two" } },
      { type: "dropdown", id: "three", attributes: { label: "Three" } },
      { type: "input", id: "three", attributes: {} },
    ];
    expect(formProblems({ name: "Broken", body })).toEqual([
      "description is missing",
      "element 1 has the unknown type textbox",
      "element 2 has no valid id",
      "element 3 has no options",
      "element 4 has no label",
      "element 4 has no label",
      "the id three is listed twice",
    ]);
    expect(formProblems({ name: "Empty", description: "Without a field", body: [] })).toEqual(["there is no field"]);
  });

  test("a bug report asks for what differs between machines", () => {
    const ids = bodyOf(load(`${directory}/bug.yml`)).map((element) => field(element, "id"));
    expect(ids).toEqual(expect.arrayContaining(["version", "step", "results", "runner-nix", "machine-nix", "nixos-rebuild", "nixos-version"]));
  });
});

test("every path of CODEOWNERS exists", () => {
  const lines = readFileSync(join(root, ".github/CODEOWNERS"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  const paths = lines.map((line) => line.split(" ")[0] ?? "").filter((path) => path !== "*");
  expect(paths.length).toBeGreaterThan(3);
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test("every ecosystem of Dependabot has a cooldown", () => {
  const updates = field(load(".github/dependabot.yml"), "updates");
  const all: unknown[] = Array.isArray(updates) ? updates : [];
  expect(all.map((update) => field(update, "package-ecosystem"))).toEqual(["github-actions", "npm", "pip"]);
  expect(all.filter((update) => !(Number(field(update, "cooldown", "default-days")) >= 7))).toEqual([]);
});
