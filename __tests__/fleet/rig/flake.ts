import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

import { checkout } from "./checkout.js";
import { check, environment } from "./command.js";
import { realDirectory, activationTools } from "./activation-tools.js";

/** What a configuration is and does; every field is an argument of `examples/flake/nixos/system.nix`. */
export type Behaviour = {
  /** Default: the attribute's name. */
  readonly hostName?: string;
  readonly fqdn?: string;
  /** Another text makes another toplevel. */
  readonly text?: string;
  /** Name to version. */
  readonly packages?: Readonly<Record<string, string>>;
  /** Name of a package to the KiB that it has beside its program. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** Name of a systemd unit, or of a drop-in as `NAME.d/FILE.conf`, to its text, or to `masked`. multi-user.target wants each unit but templates, slices and targets. */
  readonly units?: Readonly<Record<string, string>>;
  /** Units that multi-user.target does not want: those with a socket, or that somebody starts by hand. */
  readonly onDemand?: readonly string[];
  /** Instances of templates that multi-user.target wants. */
  readonly instances?: readonly string[];
  /** As `units`, for the managers of all users. */
  readonly userUnits?: Readonly<Record<string, string>>;
  readonly userOnDemand?: readonly string[];
  /** Values whose change makes the system refuse to be switched to. Default: one value; null: a system from before NixOS had them. */
  readonly inhibitors?: Readonly<Record<string, string>> | null;
  /** Text of /etc/fstab. */
  readonly fstab?: string;
  /** Lines of systemd's system.conf: another text makes a switch execute systemd anew. */
  readonly managerConf?: string;
  /** Name to what differs: other toplevels, below `specialisation/` of this one. */
  readonly specialisations?: Readonly<Record<string, Behaviour>>;
  /** Default: `grub`. systemd-boot boots only generations of a profile; none writes no entry, and the profile is booted. */
  readonly bootLoader?: "grub" | "systemd-boot" | "none";
  /** Another version wants a reboot. */
  readonly kernel?: string;
  /** Another value than the running system's: `switch` ends with 100. */
  readonly initInterfaceVersion?: string;
  /** No addresses once activated, and after each boot. */
  readonly networkBroken?: boolean;
  /** `config.deployment`, as colmena has it. */
  readonly deployment?: Readonly<Record<string, unknown>>;
  readonly evaluationError?: string;
  readonly buildSeconds?: number;
  /** Script in the middle of the build; `exit 1` fails it. */
  readonly buildScript?: string;
  /** Script of the check `custom`, before anything is changed; exit code 1 when its last command fails. */
  readonly preSwitchCheck?: string;
  /** Script while the boot loader entry is written; exit code 1 when its last command fails. */
  readonly bootLoaderScript?: string;
  /** Script in the activation before it sets up /etc, which also runs at each boot, under `set -e`; exit code 2 when a command fails. */
  readonly beforeEtcScript?: string;
  /** Script in the activation after that, likewise. */
  readonly activationScript?: string;
  /** Name of that snippet. Default: `example`. */
  readonly snippetName?: string;
  /** Script at the end of the activation and before the units, in `switch` and `test` only; its exit code is ignored. $PPID is the switch. */
  readonly switchScript?: string;
  readonly switchSeconds?: number;
  readonly switchLines?: number;
  /** Exit code of switch-to-configuration in `switch` and `test`, whatever happened. */
  readonly exitCode?: number;
  /** The program behind `bin/switch-to-configuration`; empty: the stand-in. Default: the real one where REAL_TOOLS has it. */
  readonly switchProgram?: string;
  /** Without it, nixos-rebuild-ng refuses. */
  readonly withNixosVersion?: boolean;
  /** Without it, nixos-rebuild cannot run itself anew. */
  readonly withNixosRebuild?: boolean;
};

export type FlakeOptions = {
  /** Whether the directory is a Git repository, with everything committed, or with a change beside. Default: false. */
  readonly git?: boolean | "dirty";
  /** Directory of `flake.nix` below the root of the repository. */
  readonly subdirectory?: string;
  /** Inputs by name: an attribute set in Nix's words, as `{ url = "git+file:///x"; flake = false; }`. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** Runs `nix flake lock`, where the runner has Nix: pass `runner.exec`. Default: no lock file. */
  readonly lock?: (script: string) => Promise<{ readonly code: number; readonly stderr: string }>;
  /** Further outputs, as Nix bindings that see `self`, `inputs`, `nixosSystem` and `machines`. */
  readonly outputs?: string;
  /** What each text begins with, as a Nix expression that sees `inputs`: a way to depend on an input. */
  readonly textPrefix?: string;
};

/** A unit that runs; another text makes it restart. */
export function runningUnit(text = "one"): string {
  // A switch does not compare the description.
  return `[Unit]\nDescription=Runs ${text}\n[Service]\nExecStart=/bin/sleep infinity\nEnvironment="TEXT=${text}"\n`;
}

/** A unit whose start fails. */
export const failingUnit = "[Unit]\nDescription=Fails\n[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo no luck today >&2; exit 3'\n";

/** A system that refuses to be switched to while a default one runs, as NixOS does with another init; a reboot into it is possible. */
export const switchInhibitor: Behaviour = { inhibitors: { systemd: "261" } };

/**
 * Writes a flake whose configurations behave as asked, from the same `nixos/` as `examples/flake`. Written again over a former
 * one, it is the next commit. Returns the directory of `flake.nix`.
 */
export async function writeFlake(directory: string, machines: Readonly<Record<string, Behaviour>>, options: FlakeOptions = {}): Promise<string> {
  const flake = path.join(directory, options.subdirectory ?? ".");
  mkdirSync(flake, { recursive: true });
  cpSync(path.join(checkout, "examples/flake/nixos"), path.join(flake, "nixos"), { recursive: true });
  const named = Object.fromEntries(
    Object.entries(machines).map(([name, behaviour]) => [name, { hostName: name, switchProgram: switchProgram(), ...behaviour }]),
  );
  writeFileSync(path.join(flake, "machines.json"), `${JSON.stringify(named, undefined, 2)}\n`);
  writeFileSync(path.join(flake, "flake.nix"), flakeText(options));

  const git = async (...args: string[]): Promise<string> => await check("git", ["-C", directory, ...args], { env: gitEnvironment() });
  const tracked = options.git === true || options.git === "dirty";
  if (tracked) {
    await git("init", "--quiet", "--initial-branch=main");
    await git("add", "--all");
  }
  if (options.lock !== undefined) {
    const { code, stderr } = await options.lock(`nix flake lock '${flake}'`);
    if (code !== 0) throw new Error(`nix flake lock failed: ${stderr}`);
  }
  if (tracked) {
    await git("add", "--all");
    await git("commit", "--quiet", "--allow-empty", "--message", "Machines");
  }
  if (options.git === "dirty") writeFileSync(path.join(flake, "machines.json"), `${JSON.stringify(named)}\n`);
  return flake;
}

/** The real switch-to-configuration of the machines; empty where REAL_TOOLS has none. */
export function switchProgram(): string {
  return activationTools().has("switch-to-configuration") ? `${realDirectory}/switch-to-configuration` : "";
}

/** Commit that a repository stands at. */
export async function headOf(directory: string): Promise<string> {
  return (await check("git", ["-C", directory, "rev-parse", "HEAD"], { env: gitEnvironment() })).trim();
}

/** Makes a Git repository of a directory, with everything committed. */
export async function commitAll(directory: string): Promise<string> {
  const git = async (...args: string[]): Promise<string> => await check("git", ["-C", directory, ...args], { env: gitEnvironment() });
  await git("init", "--quiet", "--initial-branch=main");
  await git("add", "--all");
  await git("commit", "--quiet", "--allow-empty", "--message", "All");
  return await headOf(directory);
}

function flakeText({ inputs = {}, outputs = "", textPrefix = '""' }: FlakeOptions): string {
  const declared = Object.entries(inputs).map(([name, value]) => `  inputs.${name} = ${value};\n`);
  return `{
${declared.join("")}
  outputs =
    { self, ... }@inputs:
    let
      nixosSystem = import ./nixos/system.nix { configurationRevision = self.rev or null; };
      machines = builtins.fromJSON (builtins.readFile ./machines.json);
      prefix = ${textPrefix};
    in
    {
      nixosConfigurations = builtins.mapAttrs (_: machine: nixosSystem (machine // { text = prefix + (machine.text or ""); })) machines;
      ${outputs}
    };
}
`;
}

// Nothing of the user's own configuration, such as signed commits.
function gitEnvironment(): Record<string, string> {
  const who = { GIT_AUTHOR_NAME: "fleet", GIT_AUTHOR_EMAIL: "fleet@test", GIT_COMMITTER_NAME: "fleet", GIT_COMMITTER_EMAIL: "fleet@test" };
  return { ...environment(), ...who, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" };
}
