import type { Safety } from "./deploy/run-settings.js";
import { InputError, type InputProblem } from "./domain/errors.js";
import { operations, type Operation } from "./domain/operation.js";
import { selectTargets } from "./domain/inventory.js";
import { acceptedSelection, parseSelection, type Selection } from "./domain/selection.js";
import { acceptedTargets, parseTargetList } from "./domain/target-list.js";
import { checkUser, completeTargets, type Target, type TargetRequest } from "./domain/target.js";
import type { SudoMode } from "./nixos/access.js";
import { knownHostsProblems } from "./ssh/host-key.js";
import { readKey } from "./ssh/key.js";

/** Every input of the action, by its name in `action.yml`. */
export const inputNames = [
  "ssh-key",
  "ssh-key-passphrase",
  "ssh-known-hosts",
  "ssh-strict",
  "ssh-user",
  "ssh-port",
  "ssh-config",
  "flake",
  "targets",
  "select",
  "operation",
  "sudo",
  "sudo-password",
  "max-parallel",
  "archive-args",
  "rebuild-args",
  "connect-timeout",
  "timeout",
  "retries",
  "check-sigs",
  "rollback",
  "confirm-timeout",
  "activation-timeout",
  "health-check",
  "health-check-timeout",
  "unit-failures",
  "lock-timeout",
] as const;

export type InputName = (typeof inputNames)[number];

/** The inputs of a run, checked. */
export type Inputs = {
  /** In the form that ssh reads. */
  readonly key: string;
  readonly passphrase: string | undefined;
  readonly knownHosts: string;
  readonly strict: boolean;
  readonly sshConfig: string;
  readonly flake: string;
  /** Those that are selected. Empty where the flake itself is to say where its machines are. */
  readonly targets: readonly Target[];
  readonly selection: Selection;
  /** For machines of the flake that name none. */
  readonly defaults: { readonly user: string; readonly port: number };
  readonly operation: Operation;
  readonly sudo: SudoMode;
  readonly maxParallel: number;
  readonly archiveArgs: readonly string[];
  readonly rebuildArgs: readonly string[];
  /** Seconds. */
  readonly connectTimeout: number;
  /** Seconds; 0 is without limit. */
  readonly timeout: number;
  readonly retries: number;
  readonly checkSignatures: boolean;
  readonly sudoPassword: string | undefined;
  readonly safety: Safety;
};

const day = 86_400;

/**
 * Reads and checks all inputs. `read` gives the text of an input, empty where there is none. Throws an `InputError` that names
 * every bad one with what is accepted.
 */
export function parseInputs(read: (name: InputName) => string): Inputs {
  const problems: InputProblem[] = [];
  const refuse = (input: InputName, problem: string): void => {
    problems.push({ input, problem });
  };
  const trimmed = (name: InputName): string => read(name).trim();
  const choice = <T extends string>(name: InputName, accepted: readonly [T, ...T[]]): T => {
    const text = trimmed(name);
    const found = accepted.find((word) => word === text);
    if (found === undefined) refuse(name, `${shown(text)} is not accepted; accepted is one of ${accepted.join(", ")}`);
    return found ?? accepted[0];
  };
  const number = (name: InputName, minimum: number, maximum: number): number => {
    const text = trimmed(name);
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    refuse(name, `${shown(text)} is not accepted; accepted is a whole number from ${minimum} to ${maximum}`);
    return minimum;
  };
  const flag = (name: InputName): boolean => choice(name, ["true", "false"]) === "true";

  const strict = flag("ssh-strict");
  const port = number("ssh-port", 1, 65_535);
  const user = trimmed("ssh-user");
  collect(
    () => checkUser(user),
    (problem) => refuse("ssh-user", problem),
  );

  const inputs: Inputs = {
    ...readIdentity(read, refuse),
    strict,
    knownHosts: readKnownHosts(read("ssh-known-hosts"), strict, (problem) => refuse("ssh-known-hosts", problem)),
    sshConfig: readSshConfig(read("ssh-config"), (problem) => refuse("ssh-config", problem)),
    flake: readFlakeReference(trimmed("flake"), (problem) => refuse("flake", problem)),
    ...readMachines(read, { user, port }, refuse),
    defaults: { user, port },
    operation: choice("operation", operations),
    sudo: choice("sudo", ["auto", "true", "false"]),
    maxParallel: number("max-parallel", 1, 1000),
    archiveArgs: readArguments(read("archive-args"), ["--to", "--json"], (problem) => refuse("archive-args", problem)),
    rebuildArgs: readArguments(read("rebuild-args"), ["--flake", "-f", "--target-host", "--build-host", "--rollback"], (problem) =>
      refuse("rebuild-args", problem),
    ),
    connectTimeout: number("connect-timeout", 1, 3600),
    timeout: number("timeout", 0, day),
    retries: number("retries", 0, 20),
    checkSignatures: flag("check-sigs"),
    sudoPassword: readPassword(read("sudo-password"), (problem) => refuse("sudo-password", problem)),
    safety: {
      rollback: flag("rollback"),
      healthCheck: readCommand(trimmed("health-check"), (problem) => refuse("health-check", problem)),
      unitFailures: choice("unit-failures", ["fail", "warn"]),
      limits: {
        confirm: number("confirm-timeout", 1, 3600),
        activation: number("activation-timeout", 1, day),
        healthCheck: number("health-check-timeout", 1, day),
        lock: number("lock-timeout", 0, day),
      },
    },
  };
  if (problems.length > 0) throw new InputError(problems);
  return inputs;
}

function shown(text: string): string {
  return text === "" ? "an empty text" : JSON.stringify(text.slice(0, 100));
}

/** Does the work, and takes the message of what it throws for a problem. */
export function collect(work: () => void, onProblem: (problem: string) => void): void {
  try {
    work();
  } catch (error) {
    onProblem(error instanceof Error ? error.message : String(error));
  }
}

function readIdentity(read: (name: InputName) => string, refuse: (input: InputName, problem: string) => void): Pick<Inputs, "key" | "passphrase"> {
  const reading = readKey(read("ssh-key"));
  // A passphrase may begin or end with a blank; a line end comes from a file.
  const passphrase = read("ssh-key-passphrase").replace(/\r?\n$/, "");
  if (reading.kind === "unusable") {
    refuse("ssh-key", reading.problem);
    return { key: "", passphrase: undefined };
  }
  if (reading.encrypted && passphrase === "") refuse("ssh-key", "is encrypted; its passphrase is wanted in ssh-key-passphrase");
  return { key: reading.text, passphrase: reading.encrypted && passphrase !== "" ? passphrase : undefined };
}

function readKnownHosts(text: string, strict: boolean, refuse: (problem: string) => void): string {
  const lines = text.replaceAll(/\r\n?/g, "\n").trim();
  if (lines === "" && strict) {
    refuse(
      "is empty, and ssh-strict is true; accepted are the machines' known_hosts lines (`ssh-keyscan HOST`, run where you trust the network, and compared with the machine)",
    );
  }
  for (const problem of knownHostsProblems(lines)) refuse(problem);
  return lines;
}

function readSshConfig(text: string, refuse: (problem: string) => void): string {
  const lines = text.replaceAll(/\r\n?/g, "\n").trim();
  if (/[^\P{C}\n\t]/u.test(lines)) refuse("holds control characters; accepted are lines of ssh_config(5)");
  return lines;
}

function readPassword(text: string, refuse: (problem: string) => void): string | undefined {
  const password = text.replace(/\r?\n$/, "");
  if (/[\r\n\0]/.test(password)) refuse("holds a line end or a NUL character; accepted is one line");
  return password === "" ? undefined : password;
}

function readCommand(text: string, refuse: (problem: string) => void): string | undefined {
  if (/[^\P{C}\n\t]/u.test(text)) refuse("holds control characters; accepted is a command for /bin/sh");
  return text === "" ? undefined : text;
}

/** Reads a flake reference without `#`. */
export function readFlakeReference(text: string, refuse: (problem: string) => void): string {
  const accepted = "accepted is a flake reference without #, for example `.`, `./nixos` or `github:org/repo`";
  if (text === "") refuse(`is empty; ${accepted}`);
  else if (text.startsWith("-")) refuse(`${shown(text)} begins with -, which nix would take for an option; ${accepted}`);
  else if (/[\n\r\0]/.test(text)) refuse(`${shown(text)} holds line ends; ${accepted}`);
  else if (text.includes("#")) refuse(`${shown(text)} holds a #; the configuration belongs to the targets (host#configuration); ${accepted}`);
  return text;
}

function readArguments(text: string, reserved: readonly string[], refuse: (problem: string) => void): string[] {
  const args = text
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  for (const argument of args) {
    const option = argument.split("=")[0] ?? "";
    if (reserved.includes(option)) refuse(`${option} is the action's own; accepted is any other argument, one a line`);
    if (option === "--accept-flake-config" || option === "accept-flake-config")
      refuse("accept-flake-config lets a flake change the settings of Nix; write the settings that you trust into nix.conf instead");
    if (argument.includes("\0")) refuse("holds a NUL character");
  }
  return args;
}

function readMachines(
  read: (name: "targets" | "select") => string,
  defaults: { user: string; port: number },
  refuse: (input: "targets" | "select", problem: string) => void,
): Pick<Inputs, "targets" | "selection"> {
  const selection = readSelection(read("select"), (problem) => refuse("select", problem));
  const targets = readTargets(read("targets"), defaults, (problem) => refuse("targets", problem));
  if (targets.length === 0) return { targets, selection };
  const { chosen, unmatched } = selectTargets(targets, selection);
  if (unmatched !== undefined) refuse("select", unmatched);
  return { targets: chosen, selection };
}

/** Reads a selection. */
export function readSelection(text: string, refuse: (problem: string) => void): Selection {
  let selection: Selection = [];
  collect(
    () => (selection = parseSelection(text)),
    (problem) => refuse(`${problem}; accepted are ${acceptedSelection}`),
  );
  return selection;
}

function readTargets(text: string, defaults: { user: string; port: number }, refuse: (problem: string) => void): Target[] {
  const requests = readRequests(text, refuse);
  let targets: Target[] = [];
  collect(() => (targets = completeTargets(requests, defaults)), refuse);
  return targets;
}

/** Reads a list of targets; none where there is no text, or where one of them is bad. */
export function readRequests(text: string, refuse: (problem: string) => void): readonly TargetRequest[] {
  // Not the same as a list in which every line is a comment: that one must not mean every machine.
  if (text.trim() === "") return [];
  const { requests, problems } = parseTargetList(text);
  for (const problem of problems) refuse(problem);
  if (problems.length > 0) return [];
  if (requests.length === 0) refuse(`names no machine; accepted is ${acceptedTargets}`);
  return requests;
}
