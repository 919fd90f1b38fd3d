import type { SettingWish } from "../domain/inventory.js";
import { field, texts } from "../domain/json.js";

/**
 * What the action does not do of a machine's settings for deploy-rs or colmena, with the consequence, a sentence each. `raw` is what
 * `inventory.nix` returns for the machine.
 */
export function ignoredSettings(raw: unknown): string[] {
  const list = (name: string): string => texts(field(raw, name)).join(", ");
  const keys = list("keys");
  const profiles = list("otherProfiles");
  const unknown = list("unknown");
  return [
    keys === "" ? "" : `deployment.keys ${keys} are not uploaded; after a reboot /run/keys is empty, and services that need a key do not start`,
    profiles === "" ? "" : `the profiles ${profiles} are not deployed; they stay as they are on the machine`,
    isSet(raw, "machinesFile") ? "meta.machinesFile is not read; systems are built on the runner, and on the builders in its nix.conf" : "",
    isSet(raw, "tempPath") ? "tempPath is not used; files of a run are in /run/nix-flake-deploy" : "",
    field(raw, "imported") === true ? "the modules that it imports are not read; deployment settings in them have no effect" : "",
    unknown === "" ? "" : `${unknown} is unknown to this version of the action, and has no effect`,
  ].filter((sentence) => sentence !== "");
}

/** Settings of the machine for which the action has an input for all machines. */
export function settingWishes(raw: unknown): SettingWish[] {
  const wishes: SettingWish[] = [];
  const same = (name: string, input: SettingWish["input"], wanted = (value: boolean | number): boolean | number => value): void => {
    const value = field(raw, name);
    if (typeof value !== "boolean" && typeof value !== "number") return;
    wishes.push({ setting: `${name} = ${value}`, input, agrees: [String(wanted(value))], advice: `Set ${input}: ${wanted(value)}` });
  };
  same("autoRollback", "rollback");
  same("magicRollback", "rollback");
  same("confirmTimeout", "confirm-timeout");
  same("activationTimeout", "activation-timeout");
  same("fastConnection", "substitute-on-destination", (fast) => fast !== true);
  // Root becomes nobody else.
  if (field(raw, "user") === "root") return wishes;
  const sudo = field(raw, "sudo");
  if (typeof sudo === "string") wishes.push(elevation(`sudo = ${JSON.stringify(sudo)}`, sudo));
  const command = field(raw, "privilegeEscalationCommand");
  if (Array.isArray(command)) wishes.push(elevation(`privilegeEscalationCommand = ${JSON.stringify(command)}`, texts(command)[0] ?? ""));
  if (field(raw, "interactiveSudo") === true) {
    wishes.push({
      setting: "interactiveSudo = true",
      input: "elevate-password",
      agrees: ["set"],
      advice: "Set elevate-password, unless sudo needs no password",
    });
  }
  return wishes;
}

/** The command's program decides; the action has its own arguments for each. */
function elevation(setting: string, command: string): SettingWish {
  const program = command.trim().split(/\s+/)[0]?.split("/").at(-1) ?? "";
  if (["sudo", "doas", "run0"].includes(program)) {
    return { setting, input: "elevate", agrees: program === "run0" ? [program] : [program, "auto"], advice: `Set elevate: ${program}` };
  }
  if (program === "") return { setting, input: "elevate", agrees: ["none"], advice: "Set elevate: none" };
  return { setting, input: "elevate", agrees: [], advice: "The user must be able to become root with sudo, doas or run0" };
}

function isSet(raw: unknown, name: string): boolean {
  const value = field(raw, name);
  return value !== undefined && value !== null;
}
