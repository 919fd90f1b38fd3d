import { readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

import { entries, field } from "./fields.js";
import { root } from "./paths.js";

export type ActionInput = { readonly name: string; readonly description: string; readonly required: boolean; readonly default: string };
export type ActionOutput = { readonly name: string; readonly description: string };
export type ActionMetadata = { readonly inputs: readonly ActionInput[]; readonly outputs: readonly ActionOutput[] };

/** Reads the inputs and outputs of the action's own `action.yml`. */
export function readActionMetadata(): ActionMetadata {
  const metadata: unknown = parse(readFileSync(join(root, "action.yml"), "utf8"));
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

function text(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}
