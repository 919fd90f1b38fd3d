import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { actionFiles, readActionMetadata } from "./action-metadata.js";
import { argumentsPage } from "./argument-tables.js";
import { withTables } from "./docs-tables.js";
import { root } from "./paths.js";

// Writes the tables of README.md from both action.yml, and docs/arguments.md from the tables of options; with `--check` only
// compares them.

const readme = readFileSync(join(root, "README.md"), "utf8");
const wanted = {
  "README.md": actionFiles.reduce((text, file) => withTables(text, readActionMetadata(file.path), file), readme),
  "docs/arguments.md": argumentsPage(),
};
for (const [path, text] of Object.entries(wanted)) {
  if (!process.argv.includes("--check")) {
    writeFileSync(join(root, path), text);
  } else if (readFileSync(join(root, path), "utf8") !== text) {
    process.stderr.write(`${path} is out of date; run npm run docs\n`);
    process.exitCode = 1;
  }
}
