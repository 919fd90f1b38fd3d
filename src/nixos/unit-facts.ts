import type { ManagedUnit, UnitFacts, UnitFileChange } from "../domain/unit-facts.js";

/** Lines of each list that a machine reports at most. */
export const mostFacts = 20_000;

/**
 * Parses what `units.sh` prints. Returns `undefined` for systems without unit files. Throws an `Error` where the end, or
 * systemd's answer, is missing: a plan from incomplete facts would be wrong.
 *
 *     systemd before /nix/store/…-systemd-260/lib/systemd/systemd
 *     active active nginx.service
 *     idle ran fstrim.service
 *     managed present nginx.service
 *     key changed Service ExecStart
 *     set new Service X-StopIfChanged false
 *     pulls multi-user.target nginx.service
 *     end
 */
export function parseUnitFacts(text: string): UnitFacts | undefined {
  const lines = text.split("\n").filter((line) => line !== "");
  if (lines.length === 0) return undefined;
  if (lines.at(-1) !== "end") throw new Error("the facts about units are incomplete");
  const rows = new Map<string, string[]>();
  for (const line of lines) {
    const at = line.indexOf(" ");
    append(rows, line.slice(0, at), line.slice(at + 1));
  }
  const active = new Map((rows.get("active") ?? []).map((row) => flip(split(row))));
  if (active.size === 0) throw new Error("systemd did not list its units");
  const pair = (word: string): { before: string; after: string } => ({ before: first(rows, word, "before"), after: first(rows, word, "after") });
  return {
    systemd: pair("systemd"),
    config: pair("config"),
    inhibitors: pair("inhibitors"),
    fstab: { before: all(rows, "fstab", "before"), after: all(rows, "fstab", "after") },
    left: { start: all(rows, "list", "start"), restart: all(rows, "list", "restart"), reload: all(rows, "list", "reload") },
    active,
    idle: new Map(
      (rows.get("idle") ?? []).flatMap((row) => {
        const [result, name] = split(row);
        return result === "never" || result === "unmet" || result === "ran" ? [[name, result]] : [];
      }),
    ),
    aliases: new Map((rows.get("alias") ?? []).map(split)),
    stopsWith: lists(rows.get("down")),
    managed: managedUnits(lines),
    sockets: new Set(rows.get("socket")),
    added: new Set(rows.get("new")),
    pulls: lists(rows.get("pulls")),
    parts: lists(rows.get("part")),
  };
}

function managedUnits(lines: readonly string[]): ManagedUnit[] {
  const units: { name: string; file: ManagedUnit["file"]; changes: UnitFileChange[]; settings: Map<string, string> }[] = [];
  for (const line of lines) {
    const [word, one = "", section = "", key = "", ...rest] = line.split(" ");
    const unit = units.at(-1);
    if (word === "managed") units.push({ name: section, file: one === "gone" ? "gone" : "present", changes: [], settings: new Map() });
    else if (unit !== undefined && (word === "key" || word === "section") && (one === "added" || one === "removed" || one === "changed"))
      unit.changes.push({ change: one, section, key: word === "key" ? [key, ...rest].join(" ") : undefined });
    else if (unit !== undefined && word === "set") unit.settings.set(`${section} ${key}`, rest.join(" ").trim());
  }
  return units;
}

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function lists(rows: readonly string[] = []): Map<string, string[]> {
  const map = new Map<string, string[]>();
  for (const row of rows) append(map, ...split(row));
  return map;
}

/** The first word, and the rest. */
function split(row: string): [string, string] {
  const at = row.indexOf(" ");
  return at === -1 ? [row, ""] : [row.slice(0, at), row.slice(at + 1)];
}

function flip([one, other]: [string, string]): [string, string] {
  return [other, one];
}

function all(rows: ReadonlyMap<string, string[]>, word: string, which: string): string[] {
  return (rows.get(word) ?? []).flatMap((row) => {
    const [side, rest] = split(row);
    return side === which ? [rest] : [];
  });
}

function first(rows: ReadonlyMap<string, string[]>, word: string, which: string): string {
  return all(rows, word, which)[0] ?? "";
}
