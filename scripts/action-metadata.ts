import { readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

import { entries, field } from "../src/domain/json.js";
import { root } from "./paths.js";

export type ActionInput = { readonly name: string; readonly description: string; readonly required: boolean; readonly default: string };
export type ActionOutput = { readonly name: string; readonly description: string };
export type ActionMetadata = { readonly inputs: readonly ActionInput[]; readonly outputs: readonly ActionOutput[] };

/** The files of the main action and of its companions, the document with the tables of each, and the prefix of their names there. */
export const actionFiles = [
  { path: "action.yml", document: "README.md", prefix: "" },
  { path: "matrix/action.yml", document: "docs/matrix.md", prefix: "matrix-" },
  { path: "build/action.yml", document: "docs/build.md", prefix: "build-" },
] as const;

export type ActionFile = (typeof actionFiles)[number];

/** Reads the inputs and outputs of one of the project's actions. */
export function readActionMetadata(path: ActionFile["path"] = "action.yml"): ActionMetadata {
  const metadata: unknown = parse(readFileSync(join(root, path), "utf8"));
  return {
    inputs: entries(field(metadata, "inputs")).map(([name, input]) => ({
      name,
      description: text(field(input, "description")),
      required: field(input, "required") === true,
      default: text(field(input, "default")),
    })),
    outputs: entries(field(metadata, "outputs")).map(([name, output]) => ({ name, description: text(field(output, "description")) })),
  };
}

/** The names of the main action's inputs. */
export function actionInputNames(): string[] {
  return readActionMetadata().inputs.map(({ name }) => name);
}

function text(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}
