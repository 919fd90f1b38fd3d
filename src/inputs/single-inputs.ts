import { messageOf } from "../domain/errors.js";
import { acceptedAmount, parseAmount, parseBatches, type Amount } from "../domain/batches.js";
import { canEnterSpecialisation, type Operation } from "../domain/operation.js";
import { checkArguments, type OptionTable } from "../domain/option-table.js";
import { acceptedSelection, parseSelection, type Selection } from "../domain/selection.js";
import { acceptedTargets, parseTargetList } from "../domain/target-list.js";
import type { TargetRequest } from "../domain/target.js";
import type { Topic } from "../domain/topic.js";
import { knownHostsProblems } from "../ssh/host-key.js";

// The parsers of single inputs. Each gives what is wrong, and what was expected, to `refuse`, and goes on.

/** Takes what is wrong with an input. */
export type Refuse = (problem: string, topic?: Topic) => void;

/** An input as a message shows it. */
export function shown(text: string): string {
  return text === "" ? "an empty string" : JSON.stringify(text.slice(0, 100));
}

/** Does the work, and takes the message of what it throws for a problem. */
export function collect(work: () => void, onProblem: (problem: string) => void): void {
  try {
    work();
  } catch (error) {
    onProblem(messageOf(error));
  }
}

/** Parses one of some words; the first one where it is none. */
export function parseChoice<T extends string>(text: string, accepted: readonly [T, ...T[]], refuse: Refuse): T {
  const found = accepted.find((word) => word === text);
  if (found === undefined) refuse(`${shown(text)} is not valid; expected one of ${accepted.join(", ")}`);
  return found ?? accepted[0];
}

/** Parses a whole number in these bounds; the lower one where it is none. */
export function parseNumber(text: string, minimum: number, maximum: number, refuse: Refuse): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= minimum && value <= maximum) return value;
  refuse(`${shown(text)} is not valid; expected a whole number from ${minimum} to ${maximum}`);
  return minimum;
}

/** Parses known_hosts lines; there must be some where host keys are checked strictly. */
export function parseKnownHosts(text: string, strict: boolean, refuse: Refuse): string {
  const lines = text.replaceAll(/\r\n?/g, "\n").trim();
  if (lines === "" && strict) {
    refuse(
      "is empty, but ssh-strict is true; expected the known_hosts lines of the machines (run `ssh-keyscan HOST` on a trusted network, and compare the keys with the machine)",
      "known-hosts-empty",
    );
  }
  for (const problem of knownHostsProblems(lines)) refuse(problem);
  return lines;
}

/** Parses lines of ssh_config(5). */
export function parseSshConfig(text: string, refuse: (problem: string) => void): string {
  const lines = text.replaceAll(/\r\n?/g, "\n").trim();
  if (/[^\P{C}\n\t]/u.test(lines)) refuse("contains control characters; expected lines of ssh_config(5)");
  return lines;
}

// What sudo itself takes (SUDO_CONV_REPL_MAX).
const longestPassword = 1023;

/** Parses a password of one line; `undefined` where there is none. */
export function parsePassword(text: string, refuse: (problem: string) => void): string | undefined {
  const password = text.replace(/\r?\n$/, "");
  if (/[\r\n\0]/.test(password)) refuse("contains a line break or a NUL character; expected one line");
  if (Buffer.byteLength(password) > longestPassword) refuse(`is longer than ${longestPassword} bytes, the most that sudo accepts`);
  return password === "" ? undefined : password;
}

/** Parses an OpenSSH user certificate; `undefined` where there is none. */
export function parseCertificate(text: string, refuse: (problem: string) => void): string | undefined {
  const line = text.trim();
  if (line === "") return undefined;
  if (/^[\w-]+-cert-v01@openssh\.com AAAA[A-Za-z0-9+/]+=*(?: [^\p{C}]*)?$/u.test(line)) return line;
  refuse("is not an OpenSSH certificate; expected the content of a file such as id_ed25519-cert.pub, which `ssh-keygen -s` creates");
  return undefined;
}

/** Parses a command for /bin/sh; `undefined` where there is none. */
export function parseCommand(text: string, refuse: (problem: string) => void): string | undefined {
  if (/[^\P{C}\n\t]/u.test(text)) refuse("contains control characters; expected a command for /bin/sh");
  return text === "" ? undefined : text;
}

/** Parses the sizes of batches. */
export function parseBatchesInput(text: string, refuse: (problem: string) => void): Amount[] {
  let batches: Amount[] = [];
  collect(
    () => (batches = parseBatches(text)),
    (problem) => refuse(`${problem}; expected comma-separated sizes, each ${acceptedAmount} above 0, for example \`1, 25%, 100%\``),
  );
  return batches;
}

/** Parses a number of hosts or a share of them. */
export function parseAmountInput(text: string, refuse: (problem: string) => void): Amount {
  const amount = parseAmount(text);
  if (amount === undefined) refuse(`${shown(text)} is not valid; expected ${acceptedAmount}`);
  return amount ?? { kind: "count", count: 0 };
}

/** Parses a flake reference without `#`. */
export function parseFlakeReference(text: string, refuse: (problem: string) => void): string {
  const accepted = "expected a flake reference without #, for example `.`, `./nixos` or `github:org/repo`";
  if (text === "") refuse(`is empty; ${accepted}`);
  else if (text.startsWith("-")) refuse(`${shown(text)} starts with -, which nix would read as an option; ${accepted}`);
  else if (/[\n\r\0]/.test(text)) refuse(`${shown(text)} contains line breaks; ${accepted}`);
  else if (text.includes("#")) refuse(`${shown(text)} contains a #; put the configuration into targets (host#configuration); ${accepted}`);
  return text;
}

/** Parses arguments, one per line, and checks them against the options of their program. Blank lines, and blanks around a line, are left out. */
export function parseArguments(text: string, table: OptionTable, refuse: (problem: string) => void): string[] {
  const args = text
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  if (text.includes("\0")) refuse("contains a NUL character");
  else for (const problem of checkArguments(args, table)) refuse(problem);
  return args;
}

/** Parses the name of a specialisation; `undefined` where there is none. */
export function parseSpecialisation(name: string, operation: Operation, refuse: (problem: string) => void): string | undefined {
  if (name === "") return undefined;
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/.test(name)) refuse(`${shown(name)} is not valid; expected the name of a specialisation of the configuration`);
  else if (!canEnterSpecialisation(operation)) {
    refuse(`cannot be set with operation: ${operation}, which does not change the running system; choose the specialisation in the boot menu`);
  }
  return name;
}

/** Parses a selection. */
export function parseSelectionInput(text: string, refuse: (problem: string) => void): Selection {
  let selection: Selection = [];
  collect(
    () => (selection = parseSelection(text)),
    (problem) => refuse(`${problem}; expected ${acceptedSelection}`),
  );
  return selection;
}

/** Parses a list of targets; none where there is no text, or where one of them is bad. */
export function parseTargetsInput(text: string, refuse: Refuse): readonly TargetRequest[] {
  // Not the same as a list in which every line is a comment: that one must not mean every machine.
  if (text.trim() === "") return [];
  const { requests, problems } = parseTargetList(text);
  for (const problem of problems) refuse(problem, "target-format");
  if (problems.length > 0) return [];
  if (requests.length === 0) refuse(`lists no hosts; expected ${acceptedTargets}`);
  return requests;
}
