import type { Place } from "./build-place.js";
import { ownHostname, parseConfiguration } from "./configuration.js";
import { messageOf } from "./errors.js";
import { isObject, texts } from "./json.js";
import { parseSshLines } from "./ssh-options.js";
import { acceptedTarget, checkTarget, parsePlace, parseTarget, type TargetRequest } from "./target.js";

export const acceptedTargets = `one target per line (${acceptedTarget}), or a JSON array of such strings or of objects with host, user, port, configuration, name, build-on, ssh-options and replace-unknown-profiles`;

/** The targets of a list, and what is wrong with each bad entry. */
export type TargetList = { readonly requests: readonly TargetRequest[]; readonly problems: readonly string[] };

/**
 * Parses a list of targets: one per line, where empty lines and lines that begin with `#` are ignored, or a JSON array.
 * Never throws; every bad entry is listed in `problems`.
 */
export function parseTargetList(text: string): TargetList {
  const trimmed = text.trim();
  // A line may begin with a bracket too, for an IPv6 address.
  if (trimmed.startsWith("[") && !/^\[[0-9A-Fa-f.]*:[^\s"\]]*\]/.test(trimmed)) return parseJsonList(trimmed);
  const list = collector();
  for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
    const target = line.trim();
    if (target !== "" && !target.startsWith("#")) list.add(`line ${index + 1}`, target, () => parseTarget(target));
  }
  return list;
}

function parseJsonList(text: string): TargetList {
  let items: unknown;
  try {
    items = JSON.parse(text);
  } catch (error) {
    return { requests: [], problems: [`is not valid JSON (${messageOf(error)}); expected ${acceptedTargets}`] };
  }
  const list = collector();
  for (const [index, item] of (Array.isArray(items) ? items : [items]).entries()) list.add(`entry ${index + 1}`, item, () => parseItem(item));
  return list;
}

function collector(): TargetList & { add: (place: string, shown: unknown, parse: () => TargetRequest) => void } {
  const requests: TargetRequest[] = [];
  const problems: string[] = [];
  const add = (place: string, shown: unknown, parse: () => TargetRequest): void => {
    try {
      requests.push(parse());
    } catch (error) {
      problems.push(`${place} (${JSON.stringify(shown).slice(0, 120)}): ${messageOf(error)}; expected ${acceptedTarget}`);
    }
  };
  return { requests, problems, add };
}

/** The fields of an object in the list. The last one is what matrix/ writes. */
export const targetFields = ["host", "user", "port", "configuration", "name", "build-on", "ssh-options", "replace-unknown-profiles", "flake-build-on"];

function parseSshField(value: unknown): Pick<TargetRequest, "sshOptions"> {
  if (value === undefined) return {};
  const lines = texts(value);
  if (!Array.isArray(value) || lines.length !== value.length) throw new Error("its ssh-options is not a list of strings");
  try {
    return { sshOptions: parseSshLines(lines) };
  } catch (error) {
    throw new Error(`its ssh-options: ${messageOf(error)}`, { cause: error });
  }
}

function parseReplaceUnknown(value: unknown): Pick<TargetRequest, "replaceUnknown"> {
  if (value === undefined) return {};
  if (typeof value !== "boolean") throw new Error("its replace-unknown-profiles is not true or false");
  return { replaceUnknown: value };
}

function parseItem(item: unknown): TargetRequest {
  if (typeof item === "string") return parseTarget(item);
  if (!isObject(item)) throw new Error("is neither a string nor an object");
  const record: Record<string, unknown> = { ...item };
  const unknown = Object.keys(record).find((field) => !targetFields.includes(field));
  if (unknown !== undefined) throw new Error(`has an unknown field ${JSON.stringify(unknown)}; allowed fields are ${targetFields.join(", ")}`);
  const text = (field: string): string | undefined => {
    const value = record[field] ?? undefined;
    if (value !== undefined && typeof value !== "string") throw new Error(`its ${field} is not a string`);
    return value;
  };
  const host = text("host");
  if (host === undefined) throw new Error("has no host");
  const place = (field: "build-on" | "flake-build-on"): Place | undefined => {
    const value = text(field);
    return value === undefined ? undefined : parsePlace(value, field);
  };
  const port = record["port"] ?? undefined;
  if (port !== undefined && typeof port !== "number" && !(typeof port === "string" && /^\d{1,5}$/.test(port)))
    throw new Error("its port is not a number from 1 to 65535");
  const configuration = text("configuration");
  return checkTarget({
    host: host.replace(/^\[(.*:.*)\]$/, "$1"),
    user: text("user"),
    port: port === undefined ? undefined : Number(port),
    configuration: configuration === undefined ? ownHostname : parseConfiguration(configuration),
    name: text("name"),
    buildOn: place("build-on"),
    flakeBuildOn: place("flake-build-on"),
    ...parseSshField(record["ssh-options"] ?? undefined),
    ...parseReplaceUnknown(record["replace-unknown-profiles"] ?? undefined),
  });
}
