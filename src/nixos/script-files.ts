import { readFileSync } from "node:fs";

import { quote } from "../process/run.js";

const scripts = {
  environment: new URL("./remote/environment.sh", import.meta.url),
  common: new URL("./remote/common.sh", import.meta.url),
  facts: new URL("./remote/facts.sh", import.meta.url),
  prepare: new URL("./remote/prepare.sh", import.meta.url),
  enter: new URL("./remote/enter.sh", import.meta.url),
  start: new URL("./remote/start.sh", import.meta.url),
  follow: new URL("./remote/follow.sh", import.meta.url),
  run: new URL("./remote/run.sh", import.meta.url),
  build: new URL("./remote/build.sh", import.meta.url),
  finish: new URL("./remote/finish.sh", import.meta.url),
  arm: new URL("./remote/arm.sh", import.meta.url),
  decide: new URL("./remote/decide.sh", import.meta.url),
  health: new URL("./remote/health.sh", import.meta.url),
  compare: new URL("./remote/compare.sh", import.meta.url),
  confirm: new URL("./remote/confirm.sh", import.meta.url),
  difference: new URL("./remote/difference.sh", import.meta.url),
  units: new URL("./remote/units.sh", import.meta.url),
  journal: new URL("./remote/journal.sh", import.meta.url),
  settle: new URL("./remote/settle.sh", import.meta.url),
  specialisation: new URL("./remote/specialisation.sh", import.meta.url),
  system: new URL("./remote/system.sh", import.meta.url),
  missing: new URL("./remote/missing.sh", import.meta.url),
  import: new URL("./remote/import.sh", import.meta.url),
  unpack: new URL("./remote/unpack.sh", import.meta.url),
  place: new URL("./remote/place.sh", import.meta.url),
  daemon: new URL("./remote/daemon.sh", import.meta.url),
  lease: new URL("./remote/lease.sh", import.meta.url),
  job: new URL("./remote/resident/job.sh", import.meta.url),
  switch: new URL("./remote/resident/switch.sh", import.meta.url),
  activate: new URL("./remote/resident/activate.sh", import.meta.url),
  last: new URL("./remote/resident/last.sh", import.meta.url),
  watchdog: new URL("./remote/resident/watchdog.sh", import.meta.url),
  expire: new URL("./remote/resident/expire.sh", import.meta.url),
} as const;

/** The scripts that are left on the machine for the time of the run, and run there without a connection. */
export type ResidentScript = "job" | "watchdog" | "switch" | "activate" | "last" | "expire";

const elevateScript = new URL("./elevate.sh", import.meta.url);

/** The scripts that are called on the machines, each a file of that name in `remote/`. */
export type ScriptName = Exclude<keyof typeof scripts, ResidentScript | "environment" | "common">;

/** The text of a script that is left on the machine. */
export function residentScript(name: ResidentScript): string {
  return textOf("environment", name);
}

// What a script is sent behind, for its functions.
const builtOn: Readonly<Partial<Record<ScriptName, readonly ScriptName[]>>> = {
  run: ["start", "follow"],
  build: ["start", "follow", "run", "difference"],
  prepare: ["lease"],
  enter: ["lease", "prepare", "facts"],
  compare: ["difference", "units"],
  confirm: ["decide", "follow"],
};

/** Returns whether a script follows a job: it takes as long as the job, and reports every 10 s that it is alive. */
export function followsJob(script: ScriptName): boolean {
  return script === "follow" || builtOn[script]?.includes("follow") === true;
}

/** The text of a script with its arguments, to be left on the machine and run there as `sh FILE`. */
export function residentCall(script: ScriptName, args: readonly string[]): string {
  return [textOf("environment", "common"), ...definition(script, args), 'main "$@"', ""].join("\n");
}

/** What a shell reads first: what all scripts have in common. Its directory must not hold up the file system of the user's home. */
export function opening(): string {
  return `${textOf("environment", "common")}\ncd /\n`;
}

/** The text that defines a script as the function `main`, and its arguments, for a shell that has read the opening. */
export function definition(script: ScriptName, args: readonly string[]): string[] {
  return [`set -- ${args.map(quote).join(" ")}`, textOf(...(builtOn[script] ?? []), script)];
}

/** The text that becomes root by sudo with a password. */
export function elevationText(): string {
  return `${textOf("environment")}${readFileSync(elevateScript, "utf8")}`;
}

// Each is read once, however many machines get it.
const texts = new Map<keyof typeof scripts, string>();

/** The texts of files, one after the other, without their comments: no machine needs those. */
function textOf(...names: readonly (keyof typeof scripts)[]): string {
  return names.map(fileText).join("");
}

function fileText(name: keyof typeof scripts): string {
  const text = texts.get(name) ?? readFileSync(scripts[name], "utf8").replaceAll(/^[ \t]*#(?: .*)?\n/gm, "");
  texts.set(name, text);
  return text;
}
