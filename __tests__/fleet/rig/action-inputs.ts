import { readFileSync } from "node:fs";
import path from "node:path";

import { checkout } from "./checkout.js";

/**
 * Defaults of an action's inputs by name, as the runner fills them in. Reads only the form in which this project writes its
 * `action.yml`: an input at two blanks, its `default:` at four, on one line, quoted or not.
 */
export function inputDefaults(actionFile = "action.yml"): Record<string, string> {
  const defaults: Record<string, string> = {};
  let section = "";
  let input = "";
  for (const line of readFileSync(path.join(checkout, actionFile), "utf8").split("\n")) {
    section = /^(\w+):/.exec(line)?.[1] ?? section;
    if (section !== "inputs") continue;
    input = /^ {2}([\w-]+):\s*$/.exec(line)?.[1] ?? input;
    const value = /^ {4}default:\s*(.*?)\s*$/.exec(line)?.[1];
    if (value !== undefined) defaults[input] = unquote(value);
  }
  return defaults;
}

function unquote(value: string): string {
  if (/^'.*'$/.test(value)) return value.slice(1, -1).replaceAll("''", "'");
  if (/^".*"$/.test(value)) return String(JSON.parse(value));
  return value;
}

/** Name of the variable in which the runner gives an input to an action: blanks become underscores, dashes stay. */
export function inputVariable(name: string): string {
  return `INPUT_${name.replaceAll(" ", "_").toUpperCase()}`;
}
