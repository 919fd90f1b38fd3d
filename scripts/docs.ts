import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { actionFiles, readActionMetadata } from "./action-metadata.js";
import { argumentsPage } from "./argument-tables.js";
import { withTables } from "./docs-tables.js";
import { root } from "./paths.js";

// Writes the tables of each action.yml into their documents, and docs/arguments.md from the tables of options; with `--check` it
// only compares them.

const read = (path: string): string => readFileSync(join(root, path), "utf8");
const tables = actionFiles.map((file) => [file.document, withTables(read(file.document), readActionMetadata(file.path), file)] as const);
for (const [path, text] of [...tables, ["docs/arguments.md", argumentsPage()] as const]) {
  if (!process.argv.includes("--check")) {
    writeFileSync(join(root, path), text);
  } else if (read(path) !== text) {
    process.stderr.write(`${path} is out of date; run npm run docs\n`);
    process.exitCode = 1;
  }
}
