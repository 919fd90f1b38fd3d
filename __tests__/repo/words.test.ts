import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { documents } from "../../scripts/documents.js";
import { root } from "../../scripts/paths.js";
import { stilted, stiltedWordings } from "./plain-words.js";

// What users read is in plain English.
const checked: readonly string[] = [...documents(), "action.yml", "matrix/action.yml", "build/action.yml", "examples/", "src/"];

/** The files of a path, which is a directory if it ends with a slash. */
function filesOf(path: string): string[] {
  if (!path.endsWith("/")) return [path];
  const entries = readdirSync(join(root, path), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

/** What users read of a file: prose without quoted messages and names, strings of the action, comments of examples. */
function readableText(path: string): string {
  const text = readFileSync(join(root, path), "utf8");
  if (path.endsWith(".md")) return text.replaceAll(/`[^`\n]*`/g, "``");
  if (path.endsWith(".yml")) return text;
  if (path.endsWith(".ts")) return stringsOf(text);
  if (path.startsWith("src/")) return text.replaceAll(/^(?!.*\b(?:echo|printf|throw|say)\b).*$/gm, "");
  // The programs of the example flake print what NixOS's own print.
  return text.replaceAll(/^[^#\n]*/gm, "");
}

/** The string literals of a TypeScript source in the lines where they are, without comments. */
function stringsOf(source: string): string {
  return source
    .split("\n")
    .map((line) => [...line.replace(/^\s*(?:\/\/|\*|\/\*\*).*/, "").matchAll(/"(?:[^"\\]|\\.)*"|`[^`]*`?/g)].map(([literal]) => literal).join(" "))
    .join("\n");
}

/** The names of the tests of a file, a line each; those that are made of expressions are not among them. */
function titlesOf(source: string): string {
  const named = /\b(?:test|describe)(?:\.\w+(?:<[^>]*>)?(?:\([^]*?\))?)*\(\s*(?:"((?:\\.|[^"\\])*)"|`((?:\\.|[^`\\])*)`)/g;
  return [...source.matchAll(named)].map(([, quoted, template]) => quoted ?? template ?? "").join("\n");
}

describe("plain English in the names of tests", () => {
  const files = readdirSync(join(root, "__tests__"), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".test.ts"));

  test("is looked for in all kinds of them", () => {
    const source = 'describe("one", () => {\n  test.each<[string]>([["x"]])("two %s", () => undefined);\n  test(`three`, () => undefined);\n});';
    expect(titlesOf(source)).toBe("one\ntwo %s\nthree");
    expect(files.length).toBeGreaterThan(100);
  });

  test.each(files)("%s", (file) => {
    expect(stilted(titlesOf(readFileSync(join(root, "__tests__", file), "utf8")))).toEqual([]);
  });
});

describe("plain English", () => {
  const files = checked.flatMap(filesOf);

  test("is required of all documents, descriptions and examples", () => {
    expect(files).toEqual(expect.arrayContaining(["README.md", "docs/safety.md", "action.yml", "matrix/action.yml", "examples/workflows/manual.yml"]));
  });

  test.each(files)("%s", (path) => {
    expect(stilted(readableText(path))).toEqual([]);
  });
});

describe("stilted wordings", () => {
  test.each([
    "The log tells how it ended.",
    "A way back that fails",
    "the machine goes back by itself",
    "It puts the old one back.",
    "Whoever may switch is root on it",
    "fails if one is not as it was asked for",
    "one target a line",
    "a JSON array of an object a machine",
    "The command stands in the file",
    "the machines are dealt out to eight jobs",
    "is set on every way out",
    "The new system did not pass",
  ])("are found: %s", (text) => {
    expect(stilted(text)).not.toEqual([]);
  });

  test.each([
    "The log reports the result for each machine.",
    "the machine rolls back by itself",
    "one target per line",
    "Compare the line with the machine.",
    "A machine that fails does not stop the others.",
  ])("are not found: %s", (text) => {
    expect(stilted(text)).toEqual([]);
  });

  test("have something else to write", () => {
    expect(stiltedWordings.filter(({ instead }) => instead.length < 3)).toEqual([]);
  });

  test("are looked for in texts of sources, not in their code and comments", () => {
    const source = '// It tells nothing.\nconst told = 1;\nreport("It goes back");\n';
    expect(stilted(stringsOf(source))).toEqual([expect.stringMatching(/^3: /)]);
  });
});
