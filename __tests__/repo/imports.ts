import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";

import { parse } from "@babel/parser";

import { field } from "../../src/domain/json.js";
import { root } from "../../scripts/paths.js";

/** One module that another one names. */
export type Import = {
  /** Path from the root of the checkout, `src/ssh/key.ts`. */
  readonly from: string;
  /** The same for a module of the project, else the name of the package. */
  readonly to: string;
  readonly line: number;
  /** Gone after compilation. */
  readonly typeOnly: boolean;
};

/** Every import of every module below a directory. */
export function importsBelow(directory: string): Import[] {
  return readdirSync(join(root, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .flatMap((path) => importsOf(path, readFileSync(join(root, path), "utf8")));
}

/** The imports of one module: static, re-exporting, dynamic, and those of types. */
export function importsOf(from: string, source: string): Import[] {
  const found: Import[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const child of node) visit(child);
      return;
    }
    if (typeof node !== "object" || node === null) return;
    const type = field(node, "type");
    const named = field(node, type === "TSImportType" ? "argument" : "source");
    if (typeof type === "string" && importing.has(type)) {
      const specifier = literal(named);
      if (specifier !== undefined) {
        const typeOnly = type === "TSImportType" || field(node, "importKind") === "type" || field(node, "exportKind") === "type";
        found.push({ from, to: resolveSpecifier(from, specifier), line: lineOf(node), typeOnly });
      } else if (type === "ImportExpression") {
        throw new Error(`${from}:${lineOf(node)}: an import whose module is not a plain text cannot be checked`);
      }
    }
    for (const child of Object.values(node)) visit(child);
  };
  visit(parse(source, { sourceType: "module", createImportExpressions: true, plugins: ["typescript"] }).program);
  return found;
}

const importing = new Set(["ImportDeclaration", "ExportNamedDeclaration", "ExportAllDeclaration", "ImportExpression", "TSImportType"]);

/** A circle of modules, the first one again at the end; `undefined` where there is none. */
export function findCircle(imports: readonly Import[]): string[] | undefined {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const walk = (module: string, path: readonly string[]): string[] | undefined => {
    const seen = path.indexOf(module);
    if (seen !== -1) return [...path.slice(seen), module];
    if (done.has(module)) return undefined;
    for (const to of next.get(module) ?? []) {
      const circle = walk(to, [...path, module]);
      if (circle !== undefined) return circle;
    }
    done.add(module);
    return undefined;
  };
  for (const module of next.keys()) {
    const circle = walk(module, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

function resolveSpecifier(from: string, specifier: string): string {
  return specifier.startsWith(".") ? posix.join(posix.dirname(from), specifier).replace(/\.js$/, ".ts") : specifier;
}

function literal(node: unknown): string | undefined {
  const value = field(node, "value") ?? field(node, "literal", "value");
  return typeof value === "string" ? value : undefined;
}

function lineOf(node: object): number {
  return Number(field(node, "loc", "start", "line"));
}
