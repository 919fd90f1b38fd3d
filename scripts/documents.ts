import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

import { actionInputNames } from "./action-metadata.js";
import { root } from "./paths.js";

/** Every Markdown file for users and contributors, relative to the root of the checkout. */
export function documents(): string[] {
  const pages = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
  return ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "examples/flake/README.md", ...pages.map((name) => `docs/${name}`)];
}

export function readDocument(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** A fenced block of a document. */
export type Snippet = { readonly document: string; readonly line: number; readonly language: string; readonly text: string };

/** The fenced blocks of a Markdown text, without their indentation. */
export function snippetsOf(document: string, markdown: string): Snippet[] {
  return [...markdown.matchAll(/^( *)```(\w*)\n(.*?)^\1```$/gms)].map(({ index, 1: indent = "", 2: language = "", 3: text = "" }) => ({
    document,
    line: markdown.slice(0, index).split("\n").length,
    language,
    text: text.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
  }));
}

/** The workflow that a YAML snippet stands for; `whole` if it is one by itself. */
export type SnippetWorkflow = { readonly whole: boolean; readonly text: string };

/**
 * Completes a YAML snippet to a workflow: jobs, steps, the `with:` of a step, or inputs of this action. Returns `undefined` for the
 * configuration of Dependabot. Throws an `Error` for anything else, so that no snippet goes unchecked.
 */
export function workflowOf({ document, line, text }: Snippet): SnippetWorkflow | undefined {
  const value: unknown = parse(text);
  if (Array.isArray(value)) return { whole: false, text: withSteps(text) };
  const keys = typeof value === "object" && value !== null ? Object.keys(value) : [];
  if (keys.includes("on") && keys.includes("jobs")) return { whole: true, text };
  if (keys.length === 1 && keys[0] === "jobs") return { whole: false, text: `${head}${text}` };
  if (keys.length === 1 && keys[0] === "with") return { whole: false, text: withSteps(`- uses: org/nix-flake-deploy@v1\n${indented(text, 2)}`) };
  if (keys.includes("updates")) return undefined;
  const inputs = actionInputNames();
  if (keys.length > 0 && keys.every((key) => inputs.includes(key)))
    return { whole: false, text: withSteps(`- uses: org/nix-flake-deploy@v1\n  with:\n${indented(text, 4)}`) };
  throw new Error(`${document}:${line}: the YAML snippet is neither a workflow, jobs, steps, \`with:\` nor inputs of the action`);
}

/** Completes a Nix snippet to an expression: bindings get braces around them. */
export function nixExpression(text: string): string {
  return /^(?:\{|\(|let\b|rec\b)/.test(text.trimStart()) ? text : `{\n${text}}\n`;
}

const head = "on: [push, pull_request]\npermissions:\n  contents: read\n";

function withSteps(steps: string): string {
  // Later steps use the outputs of the deployment.
  const deployment = /\bsteps\.deploy\./.test(steps) ? "- uses: org/nix-flake-deploy@v1\n  id: deploy\n" : "";
  return `${head}jobs:\n  job:\n    runs-on: ubuntu-latest\n    steps:\n${indented(`${deployment}${steps}`, 6)}`;
}

function indented(text: string, spaces: number): string {
  return text.replaceAll(/^(?=.)/gm, " ".repeat(spaces));
}
