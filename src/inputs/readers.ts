import { messageOf } from "../domain/errors.js";
import { acceptedAmount, parseAmount, parseBatches, type Amount } from "../domain/batches.js";
import { checkArguments, type OptionTable } from "../domain/option-table.js";
import { acceptedSelection, parseSelection, type Selection } from "../domain/selection.js";
import { acceptedTargets, parseTargetList } from "../domain/target-list.js";
import type { TargetRequest } from "../domain/target.js";
import { knownHostsProblems } from "../ssh/host-key.js";

// The readers of single inputs. Each gives what is wrong to `refuse`, in words that say what is accepted, and goes on.

/** An input as a message shows it. */
export function shown(text: string): string {
  return text === "" ? "an empty text" : JSON.stringify(text.slice(0, 100));
}

/** Does the work, and takes the message of what it throws for a problem. */
export function collect(work: () => void, onProblem: (problem: string) => void): void {
  try {
    work();
  } catch (error) {
    onProblem(messageOf(error));
  }
}

/** Reads known_hosts lines; there must be some where host keys are checked strictly. */
export function readKnownHosts(text: string, strict: boolean, refuse: (problem: string) => void): string {
  const lines = text.replaceAll(/\r\n?/g, "\n").trim();
  if (lines === "" && strict) {
    refuse(
      "is empty, and ssh-strict is true; accepted are the machines' known_hosts lines (`ssh-keyscan HOST`, run where you trust the network, and compared with the machine)",
    );
  }
  for (const problem of knownHostsProblems(lines)) refuse(problem);
  return lines;
}

/** Reads lines of ssh_config(5). */
export function readSshConfig(text: string, refuse: (problem: string) => void): string {
  const lines = text.replaceAll(/\r\n?/g, "\n").trim();
  if (/[^\P{C}\n\t]/u.test(lines)) refuse("holds control characters; accepted are lines of ssh_config(5)");
  return lines;
}

// What sudo itself takes (SUDO_CONV_REPL_MAX).
const longestPassword = 1023;

/** Reads a password of one line; `undefined` where there is none. */
export function readPassword(text: string, refuse: (problem: string) => void): string | undefined {
  const password = text.replace(/\r?\n$/, "");
  if (/[\r\n\0]/.test(password)) refuse("holds a line end or a NUL character; accepted is one line");
  if (Buffer.byteLength(password) > longestPassword) refuse(`is longer than ${longestPassword} bytes, the most that sudo accepts`);
  return password === "" ? undefined : password;
}

/** Reads an OpenSSH user certificate; `undefined` where there is none. */
export function readCertificate(text: string, refuse: (problem: string) => void): string | undefined {
  const line = text.trim();
  if (line === "") return undefined;
  if (/^[\w-]+-cert-v01@openssh\.com AAAA[A-Za-z0-9+/]+=*(?: [^\p{C}]*)?$/u.test(line)) return line;
  refuse("is not an OpenSSH certificate; accepted is the content of a file such as id_ed25519-cert.pub, which `ssh-keygen -s` makes");
  return undefined;
}

/** Reads a command for /bin/sh; `undefined` where there is none. */
export function readCommand(text: string, refuse: (problem: string) => void): string | undefined {
  if (/[^\P{C}\n\t]/u.test(text)) refuse("holds control characters; accepted is a command for /bin/sh");
  return text === "" ? undefined : text;
}

/** Reads the sizes of batches. */
export function readBatches(text: string, refuse: (problem: string) => void): Amount[] {
  let batches: Amount[] = [];
  collect(
    () => (batches = parseBatches(text)),
    (problem) => refuse(`${problem}; accepted are sizes with commas between, each ${acceptedAmount} above 0, for example \`1, 25%, 100%\``),
  );
  return batches;
}

/** Reads a number of hosts or a share of them. */
export function readAmount(text: string, refuse: (problem: string) => void): Amount {
  const amount = parseAmount(text);
  if (amount === undefined) refuse(`${shown(text)} is not accepted; accepted is ${acceptedAmount}`);
  return amount ?? { kind: "count", count: 0 };
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

/** Reads arguments, one per line, and checks them against the options of their program. Blank lines, and blanks around a line, are left out. */
export function readArguments(text: string, table: OptionTable, refuse: (problem: string) => void): string[] {
  const args = text
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  if (text.includes("\0")) refuse("contains a NUL character");
  else for (const problem of checkArguments(args, table)) refuse(problem);
  return args;
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
