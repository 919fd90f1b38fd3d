import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { actionFiles, readActionMetadata } from "./action-metadata.js";
import { withTables } from "./docs-tables.js";
import { root } from "./paths.js";

// Writes the tables of README.md from both action.yml; with `--check` only compares them.

const path = join(root, "README.md");
const present = readFileSync(path, "utf8");
const wanted = actionFiles.reduce((text, file) => withTables(text, readActionMetadata(file.path), file), present);
if (!process.argv.includes("--check")) {
  writeFileSync(path, wanted);
} else if (present !== wanted) {
  process.stderr.write("The tables of README.md are not those of action.yml; run npm run docs\n");
  process.exitCode = 1;
}
