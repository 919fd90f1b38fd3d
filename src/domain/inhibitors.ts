import { entries, parseJson } from "./json.js";
import type { Pair } from "./unit-facts.js";

/**
 * Returns why NixOS would refuse to switch, one entry per inhibitor: `systemd: 260 -> 261`. Like its check `switchInhibitors`, it
 * compares the values that both systems have; a file that is missing or not a JSON object has none.
 */
export function inhibitorsOf({ before, after }: Pair<string>): string[] {
  const [old, now] = [parse(before), parse(after)];
  return [...old].flatMap(([name, value]) => {
    const next = now.get(name);
    return next === undefined || next === value ? [] : [`${name}: ${shorten(value)} -> ${shorten(next)}`];
  });
}

function parse(text: string): Map<string, string> {
  const values = entries(parseJson(text));
  return new Map(values.map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]));
}

function shorten(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}
