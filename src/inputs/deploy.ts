import type { Safety, Staging, Variant } from "../deploy/run-settings.js";
import { type Compress, compressions } from "../domain/compress.js";
import { InputError, type InputProblem } from "../domain/errors.js";
import { buildPlaces, type PlaceSettings } from "../domain/build-place.js";
import { operations, type Operation } from "../domain/operation.js";
import { checkUser, type TargetDefaults } from "../domain/target.js";
import type { GivenSystems } from "../domain/given-systems.js";
import type { Topic } from "../domain/topic.js";
import { checkCombinations } from "./combinations.js";
import { parseIdentityInputs, type IdentityInputs } from "./identity.js";
import {
  collect,
  parseAmountInput,
  parseArguments,
  parseBatchesInput,
  parseChoice,
  parseCommand,
  parseFlakeReference,
  parseKnownHosts,
  parseNumber,
  parsePassword,
  parseSpecialisation,
  parseSshConfig,
} from "./single-inputs.js";
import { holdsPrivateKey, misplacedKey } from "./misplaced-secrets.js";
import { archiveOptions } from "../nix/archive-options.js";
import { buildOptions } from "../nix/build-options.js";
import { elevateModes, type ElevateMode } from "../nixos/elevation.js";
import { rebuildOptions } from "../nixos/rebuild-options.js";
import { parseSystemsInput } from "./systems.js";
import { parseMachineInputs, type TargetInputs } from "./targets.js";

/** Every input of the action, by its name in `action.yml`. */
export const inputNames = [
  "ssh-key",
  "ssh-key-passphrase",
  "ssh-certificate",
  "ssh-auth",
  "ssh-known-hosts",
  "ssh-strict",
  "ssh-user",
  "ssh-port",
  "ssh-config",
  "flake",
  "targets",
  "select",
  "operation",
  "systems",
  "build-on",
  "evaluate-on",
  "elevate",
  "elevate-password",
  "max-parallel",
  "archive-args",
  "rebuild-args",
  "build-args",
  "connect-timeout",
  "timeout",
  "retries",
  "check-sigs",
  "substitute-on-destination",
  "compress",
  "rollback",
  "confirm-timeout",
  "settle-time",
  "activation-timeout",
  "health-check",
  "health-check-timeout",
  "unit-failures",
  "lock-timeout",
  "specialisation",
  "install-bootloader",
  "batches",
  "max-failures",
  "on-unreachable",
  "diff",
  "summary",
  "allow-unsafe-event",
] as const;

export type InputName = (typeof inputNames)[number];

/** The inputs of a run, checked. */
export type Inputs = IdentityInputs &
  TargetInputs & {
    readonly knownHosts: string;
    readonly strict: boolean;
    readonly sshConfig: string;
    readonly flake: string;
    /** For targets and machines of the flake where neither they nor `sshConfig` give one. */
    readonly defaults: TargetDefaults;
    readonly operation: Operation;
    readonly elevate: ElevateMode;
    readonly maxParallel: number;
    readonly archiveArgs: readonly string[];
    readonly rebuildArgs: readonly string[];
    /** For builds on the runner. */
    readonly buildArgs: readonly string[];
    readonly places: PlaceSettings;
    /** Built before the run, by the names of the targets; `undefined` where the run makes them. */
    readonly systems: GivenSystems | undefined;
    /** Seconds. */
    readonly connectTimeout: number;
    /** Seconds; 0 is without limit. */
    readonly timeout: number;
    readonly retries: number;
    readonly checkSignatures: boolean;
    readonly substitute: boolean;
    readonly compress: Compress;
    /** For sudo alone. */
    readonly elevatePassword: string | undefined;
    readonly safety: Safety;
    readonly variant: Variant;
    readonly staging: Staging;
    readonly diff: boolean;
    readonly summary: boolean;
    readonly allowUnsafeEvent: boolean;
  };

const day = 86_400;

/**
 * Parses all inputs. `read` gives the text of an input, empty where there is none. Throws an `InputError` that names
 * every bad one with what is accepted.
 */
export function parseInputs(read: (name: InputName) => string): Inputs {
  const problems: InputProblem[] = [];
  const refuse = (input: InputName, problem: string, topic?: Topic): void => {
    problems.push({ input, problem, topic });
  };
  const trimmed = (name: InputName): string => read(name).trim();
  const choice = <T extends string>(name: InputName, accepted: readonly [T, ...T[]]): T =>
    parseChoice(trimmed(name), accepted, (problem) => refuse(name, problem));
  const number = (name: InputName, minimum: number, maximum: number): number =>
    parseNumber(trimmed(name), minimum, maximum, (problem) => refuse(name, problem));
  const flag = (name: InputName): boolean => choice(name, ["true", "false"]) === "true";

  const strict = flag("ssh-strict");
  const port = number("ssh-port", 1, 65_535);
  const user = trimmed("ssh-user");
  collect(
    () => checkUser(user),
    (problem) => refuse("ssh-user", problem),
  );

  const sshConfig = parseSshConfig(read("ssh-config"), (problem) => refuse("ssh-config", problem));
  const operation = choice("operation", operations);
  const given = parseSystemsInput(read("systems"), (problem, topic) => refuse("systems", problem, topic));
  const inputs: Inputs = {
    ...parseIdentityInputs(choice("ssh-auth", ["key", "agent", "none"]), read, refuse),
    strict,
    knownHosts: parseKnownHosts(read("ssh-known-hosts"), strict, (problem, topic) => refuse("ssh-known-hosts", problem, topic)),
    sshConfig,
    flake: parseFlakeReference(trimmed("flake"), (problem) => refuse("flake", problem)),
    ...parseMachineInputs(read, { user, port }, sshConfig !== "", refuse),
    defaults: { user, port },
    operation,
    elevate: choice("elevate", elevateModes),
    maxParallel: number("max-parallel", 1, 1000),
    archiveArgs: parseArguments(read("archive-args"), archiveOptions, (problem) => refuse("archive-args", problem)),
    rebuildArgs: parseArguments(read("rebuild-args"), rebuildOptions, (problem) => refuse("rebuild-args", problem)),
    buildArgs: parseArguments(read("build-args"), buildOptions, (problem) => refuse("build-args", problem)),
    places: { buildOn: choice("build-on", buildPlaces), evaluateOn: choice("evaluate-on", buildPlaces) },
    systems: given?.systems,
    connectTimeout: number("connect-timeout", 1, 3600),
    timeout: number("timeout", 0, day),
    retries: number("retries", 0, 20),
    checkSignatures: flag("check-sigs"),
    substitute: flag("substitute-on-destination"),
    compress: choice("compress", compressions),
    elevatePassword: parsePassword(read("elevate-password"), (problem) => refuse("elevate-password", problem)),
    safety: {
      rollback: flag("rollback"),
      healthCheck: parseCommand(trimmed("health-check"), (problem) => refuse("health-check", problem)),
      unitFailures: choice("unit-failures", ["fail", "warn"]),
      limits: {
        confirm: number("confirm-timeout", 1, 3600),
        activation: number("activation-timeout", 1, day),
        settle: number("settle-time", 0, 3600),
        healthCheck: number("health-check-timeout", 1, day),
        lock: number("lock-timeout", 0, day),
      },
    },
    variant: {
      specialisation: parseSpecialisation(trimmed("specialisation"), operation, (problem) => refuse("specialisation", problem)),
      installBootLoader: flag("install-bootloader"),
    },
    staging: {
      batches: parseBatchesInput(trimmed("batches"), (problem) => refuse("batches", problem)),
      maxFailures: parseAmountInput(trimmed("max-failures"), (problem) => refuse("max-failures", problem)),
      onUnreachable: choice("on-unreachable", ["fail", "skip"]),
    },
    diff: flag("diff"),
    summary: flag("summary"),
    allowUnsafeEvent: flag("allow-unsafe-event"),
  };
  checkCombinations(inputs, { given, listsTargets: read("targets").trim() !== "" }, refuse);
  const misplaced = inputNames.filter((name) => name !== "ssh-key" && holdsPrivateKey(read(name), read("ssh-key")));
  // Other problems with such an input could show its text.
  const shownProblems = [
    ...misplaced.map((input) => ({ input, problem: misplacedKey, topic: "misplaced-key" as const })),
    ...problems.filter(({ input }) => !misplaced.some((name) => name === input)),
  ];
  if (shownProblems.length > 0) throw new InputError(shownProblems);
  return inputs;
}
