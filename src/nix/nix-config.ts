import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { Flake } from "../domain/flake.js";
import { isObject } from "../domain/json.js";
import { nixString } from "./evaluate.js";
import { runNix } from "./nix-command.js";

/**
 * Reads the attribute `nixConfig` of a flake in the runner's store, as Nix text for another `flake.nix`; `undefined` where there is
 * none. The machine's own `accept-flake-config` decides whether it applies. Throws a `CommandError` for a flake.nix that does
 * not evaluate.
 */
export async function readNixConfig(
  flake: Pick<Flake, "source" | "subdirectory">,
  options: { readonly signal: AbortSignal | undefined },
): Promise<string | undefined> {
  const file = join(flake.source, flake.subdirectory, "flake.nix");
  // Few flakes have one, and searching the text needs no process.
  if (!/\bnixConfig\b/.test(readFileSync(file, "utf8"))) return undefined;
  const { stdout } = await runNix(["eval", "--json", "--file", file, "--apply", "flake: flake.nixConfig or { }"], options);
  const settings: unknown = JSON.parse(stdout);
  const text = nixLiteral(settings);
  return text === "{ }" ? undefined : text;
}

/** Renders a JSON value as a Nix literal: in `nixConfig` Nix accepts nothing that needs evaluation. */
export function nixLiteral(value: unknown): string {
  if (typeof value === "string") return nixString(value);
  if (Array.isArray(value)) return `[ ${value.map((item) => `(${nixLiteral(item)})`).join(" ")} ]`;
  if (!isObject(value)) return String(value);
  const settings = Object.entries(value).map(([name, setting]) => `${nixString(name)} = ${nixLiteral(setting)};`);
  return ["{", ...settings, "}"].join(" ");
}
