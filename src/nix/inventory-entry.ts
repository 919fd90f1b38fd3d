import type { Place } from "../domain/build-place.js";
import { messageOf } from "../domain/errors.js";
import { checkedRequest, unsupported, type InventoryEntry } from "../domain/inventory.js";
import { parseSshOptions, type SshOptions } from "../domain/ssh-options.js";
import type { Topic } from "../domain/topic.js";
import { field, texts } from "../domain/json.js";
import { ignoredSettings, settingWishes } from "./tool-settings.js";

/**
 * Parses what `inventory.nix` returns for a machine that is not broken:
 *
 *     {"kind":"deploy-rs","host":"web1.example.org","user":"admin","profileUser":"root","sshOptions":["-p","2222"],
 *      "buildOnTarget":null,"configured":true,"system":"x86_64-linux","tags":["web"]}
 */
export function parseEntry(name: string, raw: unknown): InventoryEntry {
  const kind = field(raw, "kind");
  if (kind === "other") return { kind, name, reason: String(field(raw, "reason")) };
  const tags = Array.isArray(field(raw, "tags")) ? texts(field(raw, "tags")) : undefined;
  try {
    refuse(name, raw);
    const system = field(raw, "system");
    const options = parseSshSetting(field(raw, "sshOptions"));
    return {
      kind: "machine",
      name,
      request: checkedRequest(name, {
        host: host(field(raw, "host")),
        user: optionalText(field(raw, "user"), "user") ?? options.user,
        port: options.port ?? optionalPort(field(raw, "port")),
        ...(options.lines.length === 0 ? {} : { sshOptions: options.lines }),
        ...(field(raw, "replaceUnknownProfiles") === false ? { replaceUnknown: false } : {}),
        configuration: { kind: field(raw, "hasPath") === true ? "profile" : kind === "hive" ? "hive" : "nixos", name },
      }),
      system: typeof system === "string" ? system : undefined,
      tags,
      buildOn: buildPlace(kind, field(raw, "buildOnTarget")),
      ignored: [...ignoredSettings(raw), ...options.ignored],
      wishes: settingWishes(raw),
    };
  } catch (error) {
    return {
      kind: "unusable",
      name,
      error: unsupported(messageOf(error)),
      tags,
      topic: error instanceof UnsupportedSettingError ? error.topic : undefined,
    };
  }
}

/** Both tools build on the runner unless they are told otherwise; NixOS itself does not say. */
function buildPlace(kind: unknown, buildOnTarget: unknown): Place {
  if (typeof buildOnTarget === "boolean") return buildOnTarget ? "target" : "runner";
  return kind === "configuration" ? "auto" : "runner";
}

class UnsupportedSettingError extends Error {
  readonly topic: Topic;

  constructor(message: string, topic: Topic) {
    super(message);
    this.topic = topic;
  }
}

const systemProfile = "/nix/var/nix/profiles/system";
const addHive = "Add `colmenaHive = colmena.lib.makeHive self.outputs.colmena;` to the flake's outputs, as colmena's documentation describes";

function refuse(name: string, raw: unknown): void {
  if (field(raw, "uncertain") === true) {
    throw new UnsupportedSettingError(
      `colmena.${name} imports modules, which only colmena can evaluate. Add \`colmenaHive = colmena.lib.makeHive self.outputs.colmena;\` to the flake's outputs, as colmena's documentation describes, or set deployment.targetHost next to the imports`,
      "hive-not-evaluated",
    );
  }
  const meta = texts(field(raw, "metaSettings"));
  if (meta.length > 0) {
    throw new UnsupportedSettingError(
      `only colmena evaluates ${meta.map((setting) => `meta.${setting}`).join(" and ")}, so that nixosConfigurations.${name} may be another system. ${addHive}`,
      "hive-not-evaluated",
    );
  }
  if (field(raw, "configured") === false && field(raw, "hasPath") !== true) {
    const hint = field(raw, "kind") === "deploy-rs" ? "Name the node after its configuration, or set the input targets (host#configuration)" : addHive;
    throw new UnsupportedSettingError(`nixosConfigurations.${name} is missing. ${hint}`, "configuration-missing");
  }
  const user = field(raw, "profileUser") ?? "root";
  if (user !== "root") throw new Error(`its profile named system belongs to the user ${JSON.stringify(user)}, but a NixOS system must belong to root`);
  const profile = field(raw, "profilePath") ?? systemProfile;
  if (profile !== systemProfile)
    throw new Error(`its profile named system has the profilePath ${shown(profile)}, but that of a NixOS system is ${systemProfile}`);
}

function host(value: unknown): string {
  if (value === null || value === undefined) throw new Error("it has no host");
  if (typeof value !== "string") throw new Error(`its host is not a string (${shown(value)})`);
  return value.replace(/^\[(.*:.*)\]$/, "$1");
}

function optionalText(value: unknown, what: string): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value !== "string") throw new Error(`its ${what} is not a string (${shown(value)})`);
  return value;
}

function optionalPort(value: unknown): number | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value !== "number") throw new Error(`its port is not a number (${shown(value)})`);
  return value;
}

/** Options of ssh, as a list or as a single one. */
function parseSshSetting(value: unknown): SshOptions {
  const options: readonly unknown[] = value === null || value === undefined ? [] : Array.isArray(value) ? value : [value];
  const other = options.find((option) => typeof option !== "string");
  if (other !== undefined) throw new Error(`its ssh options contain ${shown(other)}, which is not a string`);
  try {
    return parseSshOptions(texts(options));
  } catch (error) {
    throw new UnsupportedSettingError(`its ssh options: ${messageOf(error)}`, "ssh-options-unsupported");
  }
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
