import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "@babel/parser";

import { root } from "../../scripts/paths.js";
import { field, text } from "../../src/domain/json.js";

/** The texts in the code of a module, in a template with … for what it inserts. Comments and names are none. */
export function literalsOf(source: string): string[] {
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    if (field(node, "type") === "StringLiteral") found.push(text(field(node, "value")) ?? "");
    if (field(node, "type") === "TemplateLiteral") found.push(templateText(field(node, "quasis")));
    for (const child of Object.values(node)) visit(child);
  };
  visit(parse(source, { sourceType: "module", attachComment: false, plugins: ["typescript"] }).program);
  return found;
}

function templateText(quasis: unknown): string {
  if (!Array.isArray(quasis)) throw new Error("a template has pieces");
  return quasis.map((piece: unknown) => text(field(piece, "value", "cooked")) ?? "").join("…");
}

/** The texts of each module below a directory, by its path below that. */
export function literalsBelow(directory: string): ReadonlyMap<string, readonly string[]> {
  const paths = readdirSync(join(root, directory), { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
  return new Map(paths.map((path) => [path, literalsOf(readFileSync(join(root, directory, path), "utf8"))]));
}
