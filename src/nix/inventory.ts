import { readFileSync } from "node:fs";

import { CommandError } from "../domain/errors.js";
import type { Inventory, InventoryEntry, UnusableMachine } from "../domain/inventory.js";
import { lastLines } from "../domain/lines.js";
import { looksAtTags } from "../domain/selection.js";
import type { InventoryQuery } from "../machines/ports.js";
import { evaluateEach, type EvaluatedEach } from "./evaluate-each.js";
import { applyToFlake, type Arguments, type EvaluateOptions } from "./evaluate.js";
import { parseEntry } from "./inventory-entry.js";
import { entries, field, texts } from "../domain/json.js";

// Machines that are evaluated one by one for their error.
const mostExplained = 8;
// Characters of the name of a configuration; a file or unit of a machine has no longer name either.
const longestName = 255;

/**
 * Reads from a flake where its machines are, in one evaluation. A machine that does not evaluate is evaluated again alone, so that
 * Nix's message can be shown, and does not hide the others. Throws as `applyToFlake` where the flake itself does not evaluate.
 */
export async function readInventory(reference: string, { selection, details }: InventoryQuery, options: EvaluateOptions): Promise<Inventory> {
  const tagged = looksAtTags(selection);
  const choosing = selection.filter(({ leavesOut }) => !leavesOut);
  const patterns = choosing.length === 0 || tagged ? null : choosing.map((rule) => rule.expression);
  const expression = readFileSync(new URL("./inventory.nix", import.meta.url), "utf8");
  const query: Query = async (args, onLine = () => undefined) =>
    parseAnswer(
      await applyToFlake(reference, expression, { patterns, names: null, details: details || tagged, careful: true, ...args }, { ...options, onLine }),
    );

  const { names, machines, needsSelection } = await atOnce(query, options.onLine);
  const found: InventoryEntry[] = [];
  let broken = 0;
  for (const [name, seen] of machines) {
    if (name.length > longestName) found.push(nameTooLong(name));
    else if ("error" in seen) found.push(doesNotEvaluate(name, seen.error, seen.together));
    else if (field(seen.value, "kind") !== "broken") found.push(parseEntry(name, seen.value));
    else found.push((broken += 1) <= mostExplained ? await askAgain(name, query) : doesNotEvaluate(name, undefined));
  }
  return { names, entries: found, needsSelection };
}

type Query = (args: Arguments, onLine?: (line: string) => void) => Promise<Answer>;
type Answer = Found<ReadonlyMap<string, unknown>> & { readonly wanted: readonly string[] };
type Found<Machines> = { readonly names: readonly string[]; readonly needsSelection: boolean; readonly machines: Machines };

async function atOnce(query: Query, onLine: (line: string) => void): Promise<Found<EvaluatedEach<unknown>>> {
  try {
    const { names, needsSelection, machines } = await query({}, onLine);
    return { names, needsSelection, machines: new Map([...machines].map(([name, value]) => [name, { value }])) };
  } catch (error) {
    if (!(error instanceof CommandError) || error.failure.kind === "aborted") throw error;
  }
  // Names need no machine: if even they fail, the flake itself does not evaluate.
  const { names, needsSelection, wanted } = await query({ names: [] });
  const [long, usable] = [wanted.filter((name) => name.length > longestName), wanted.filter((name) => name.length <= longestName)];
  const each = await evaluateEach(usable, async (some) => (await query({ names: some })).machines);
  return { names, needsSelection, machines: new Map([...each, ...long.map((name) => [name, { value: undefined }] as const)]) };
}

/** Evaluates a machine that throws again, to get its error. */
async function askAgain(name: string, query: Query): Promise<InventoryEntry> {
  try {
    const { machines } = await query({ names: [name], careful: false });
    return parseEntry(name, machines.get(name));
  } catch (error) {
    if (!(error instanceof CommandError) || error.failure.kind === "aborted") throw error;
    return doesNotEvaluate(name, error);
  }
}

function doesNotEvaluate(name: string, error: CommandError | undefined, together: readonly string[] = [name]): UnusableMachine {
  const which = together.length === 1 ? "its configuration" : `one of ${together.length} configurations, this one or another,`;
  const reason = `${which} does not evaluate on the runner, so its address is unknown`;
  const lines = error === undefined ? [`only the first ${mostExplained} failures are explained one by one; see their messages`] : lastLines(error.stderr);
  return { kind: "unusable", name, tags: undefined, error: reason, lines, topic: "machine-not-evaluated" };
}

function nameTooLong(name: string): UnusableMachine {
  const error = `the name of its configuration has ${name.length} characters, and at most ${longestName} are accepted`;
  return { kind: "unusable", name: `${name.slice(0, 50)}…`, tags: undefined, error };
}

function parseAnswer(json: unknown): Answer {
  return {
    names: texts(field(json, "names")).map((name) => name.slice(0, longestName)),
    needsSelection: field(json, "applyAll") === false,
    wanted: texts(field(json, "wanted")),
    machines: new Map(entries(field(json, "machines"))),
  };
}
