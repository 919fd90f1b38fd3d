import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { root } from "../../../scripts/paths.js";
import { keyOf, type Cell } from "./cells.js";
import { parseDocument, renderDocument, rowOf, type Row } from "./document.js";
import type { Observation } from "./judge.js";

const file = join(root, "docs/reliability.md");
// One file for each cell that ran: the test files run side by side.
const directory = join(root, "node_modules/.cache/faults");

/** Keeps what was seen of a cell for the document. */
export function record(cell: Cell, seen: Observation): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${keyOf(cell)}.json`), JSON.stringify(rowOf(seen)));
}

/** Writes the rows of the cells that ran into the document. The others stay as they are. */
export default function writeDocument(): void {
  const rows = parseDocument(existsSync(file) ? readFileSync(file, "utf8") : "");
  for (const name of existsSync(directory) ? readdirSync(directory) : []) {
    const row: unknown = JSON.parse(readFileSync(join(directory, name), "utf8"));
    if (isRow(row)) rows.set(name.replace(/\.json$/, ""), row);
  }
  rmSync(directory, { recursive: true, force: true });
  writeFileSync(file, renderDocument(rows));
}

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && ["reported", "machine", "left"].every((name) => typeof Reflect.get(value, name) === "string");
}
