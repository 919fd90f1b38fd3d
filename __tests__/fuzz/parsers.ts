import { CommandError, AnswerError, DeployError, InputError } from "../../src/domain/errors.js";
import { ownHostname } from "../../src/domain/configuration.js";
import { parseBatches } from "../../src/domain/batches.js";
import { renderDifferenceLines } from "../../src/domain/difference-text.js";
import { inhibitorsOf } from "../../src/domain/inhibitors.js";
import { parseSelection } from "../../src/domain/selection.js";
import { completeTargets, parseTarget } from "../../src/domain/target.js";
import { parseTargetList } from "../../src/domain/target-list.js";
import { planUnits } from "../../src/domain/unit-decision.js";
import { UnitPlanReader } from "../../src/domain/unit-plan.js";
import { BuildLogReader } from "../../src/nix/build-log.js";
import { BuildPlanFolder } from "../../src/nix/build-plan.js";
import { evaluationMessage, missingFile } from "../../src/nix/evaluation-message.js";
import { explainFlake } from "../../src/nix/flake-failure.js";
import { parseArchive, parseMetadata } from "../../src/nix/flake.js";
import { explainInput } from "../../src/nix/input-failure.js";
import { parseEntry } from "../../src/nix/inventory-entry.js";
import { sriHash } from "../../src/nix/nar-hash.js";
import { lockAround } from "../../src/nix/outer-lock.js";
import { explainSendFailure, speaksOfDaemon } from "../../src/nix/send-failure.js";
import { buildError } from "../../src/nixos/build-failure.js";
import { parseDifference } from "../../src/nixos/difference.js";
import { machineFacts, parseFacts, systemState } from "../../src/nixos/facts.js";
import { LastStepReader } from "../../src/nixos/last-step.js";
import { SwitchOutputReader } from "../../src/nixos/switch-output.js";
import { parseUnitFacts } from "../../src/nixos/unit-facts.js";
import { lineCutter } from "../../src/process/lines.js";
import { printable } from "../../src/report/printable.js";
import { codeSpan, escapeHtml, oneLine, preformatted } from "../../src/report/summary/markdown.js";
import { connectError, speaksOfLostConnection } from "../../src/ssh/failure.js";
import { fingerprint, knownHostsProblems, parseOfferedKeys } from "../../src/ssh/host-key.js";
import { parseKey, secretLines } from "../../src/ssh/key.js";
import { locatedTarget } from "../../src/ssh/location.js";
import { makeFlake, makeTarget } from "../unit/domain/make.js";

/** A parser of foreign text. */
export type Parser = {
  readonly name: string;
  readonly parse: (text: string) => unknown;
  /** What it may throw. A plain `Error` is one with a message for people: no `TypeError`, `RangeError` or the like. */
  readonly throws: readonly (abstract new (...args: never[]) => Error)[];
  /** Pieces of its language, of which texts are made. */
  readonly words: readonly string[];
  /** Fewest characters at which its own limit ends it, whatever they are. */
  readonly limited?: number;
};

const path = "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-nginx-1.28.0";
const drv = `'${path}.drv'`;
const units = ["a.service", "b@c.service", "active ", "activating ", "managed ", "gone ", "present ", "set ", "old ", "Unit ", "key ", "changed ", "end\n"];
const facts = [
  "user=",
  "uid=0\n",
  "nix=nix (Nix) 2.34\n",
  "nixos-rebuild=x\n",
  "systemd=258\n",
  "nixos=yes\n",
  "running=",
  "generation=",
  path,
  "failed-units=",
];
const nixErrors = [
  "error:",
  " error: ",
  "path '",
  "«",
  "»",
  "/nix/store/",
  path,
  "' does not exist",
  "… while ",
  "at ",
  ":1:2:",
  drv,
  "Reason: ",
  "builder for ",
];
const inSsh = [
  "connect to host ",
  " port 22: ",
  "Permission denied",
  "Could not resolve hostname ",
  "Connection refused",
  "Host key verification failed",
  "root@",
];

function command(stderr: string): CommandError {
  return new CommandError({ command: "nix", failure: { kind: "exit", exitCode: 1 }, stdout: "", stderr });
}

/** Gives a reader the lines of a text, as they come from a machine. */
function byLine<T>(reader: { read: (line: string) => void }, text: string, end: () => T): T {
  const cutter = lineCutter((line) => reader.read(line));
  cutter.push(Buffer.from(text));
  cutter.end();
  return end();
}

/** Every parser of text that comes from outside. */
export const parsers: readonly Parser[] = [
  { name: "a target", parse: parseTarget, throws: [Error], words: ["root", "@", "web1", ":22", "[", "]", "#", "::1", "ssh://", "nixosConfigurations."] },
  {
    name: "the input targets",
    parse: (text) => {
      const { requests } = parseTargetList(text);
      return completeTargets(requests, { user: "root", port: 22 });
    },
    throws: [Error],
    words: ["root@web1", "\n", "#", "{", "}", "[", "]", '"host":', '"a"', ",", "web2:22", "null", "1e999"],
  },
  {
    name: "the input select",
    parse: (text) => parseSelection(text).map(({ expression }) => new RegExp(expression, "su")),
    throws: [Error],
    words: ["web", "*", "?", "[a-z]", "[!", "]", "@", ",", "z-a", "\\", "("],
  },
  { name: "the input batches", parse: parseBatches, throws: [Error], words: ["1", "25%", ",", " ", "-", "e9"] },
  {
    name: "an ssh key",
    parse: (text) => [parseKey(text), secretLines(text)],
    throws: [],
    words: [
      "-----BEGIN ",
      "OPENSSH PRIVATE KEY-----",
      "-----END ",
      "b3BlbnNzaC1rZXktdjEA",
      "AAAA",
      "\n",
      "\r",
      "ssh-rsa ",
      "=",
      "ENCRYPTED",
      "PuTTY-User-Key-File",
    ],
  },
  { name: "known hosts", parse: knownHostsProblems, throws: [], words: ["web1 ", "ssh-ed25519 ", "AAAAC3NzaC1lZDI1NTE5", "\n", "@revoked ", "|1|", "#"] },
  {
    name: "offered host keys",
    parse: (text) => parseOfferedKeys(text).map(fingerprint),
    throws: [],
    words: ["[192.0.2.7]:2222 ", "ssh-ed25519 ", "AAAAC3NzaC1lZDI1NTE5", "\n"],
  },
  {
    name: "what ssh -G prints",
    parse: (text) => locatedTarget({ name: "a", host: "a", configuration: ownHostname, user: undefined, port: undefined }, text, text),
    throws: [Error],
    words: ["hostname ", "user ", "port ", "22", "\n", "proxyjump ", "web1", "-"],
  },
  {
    name: "what ssh says of a connection",
    parse: (stderr) => [connectError({ target: makeTarget(), stderr, timedOut: false, offered: [], cause: undefined }), speaksOfLostConnection(stderr)],
    throws: [],
    words: inSsh,
  },
  { name: "facts", parse: (text) => systemState(parseFacts(text)), throws: [AnswerError], words: facts },
  { name: "the facts of a machine", parse: (text) => machineFacts(text, { needsRebuild: true }), throws: [AnswerError, DeployError], words: facts },
  {
    name: "a difference of closures",
    parse: (text) => renderDifferenceLines(parseDifference(text)),
    throws: [Error],
    words: [`- ${path} 5\n`, `+ ${path} 7\n`, `+ ${path}\n`, "end\n", "+ /etc 7\n", `- ${path} -1\n`, `- ${path} 1e99\n`],
  },
  {
    name: "facts about units",
    parse: (text) => {
      const found = parseUnitFacts(text);
      return found === undefined ? undefined : planUnits(found);
    },
    throws: [Error],
    words: units,
  },
  {
    name: "switch inhibitors",
    parse: (text) => inhibitorsOf({ before: text, after: "{}" }),
    throws: [],
    words: ["{", "}", '"kernel":', '"a"', ",", "[", "]", "null"],
  },
  {
    name: "the output of a switch",
    parse: (text) => {
      const reader = new SwitchOutputReader();
      return byLine(reader, text, () => reader.causes());
    },
    throws: [],
    words: [
      "warning: the following units failed: ",
      "a.service",
      ", ",
      "Failed to start ",
      "Pre-switch check '",
      "' failed",
      "Activation script snippet '",
      "(3)",
      "reloading user units for ",
      "...",
    ],
  },
  {
    name: "the output of the last step",
    parse: (text) => {
      const reader = new LastStepReader();
      return byLine(reader, text, () => reader.output());
    },
    throws: [],
    words: ["nix-flake-deploy: undone ", "0 ", "- ", "nix-flake-deploy: undoing the last step (exit code ", "1)", "999"],
  },
  {
    name: "the plan of a switch",
    parse: (text) => {
      const reader = new UnitPlanReader();
      return byLine(reader, text, () => reader.plan("activation"));
    },
    throws: [],
    words: ["would stop the following units: ", "starting the following units: ", "a.service", ", ", "swap device: ", "activating the configuration..."],
  },
  {
    name: "the log of a build",
    parse: (text) => {
      const reader = new BuildLogReader();
      return byLine(reader, text, () => reader.failures);
    },
    throws: [],
    words: [
      ...nixErrors,
      "Cannot build ",
      ".\n",
      "       > ",
      "hello> ",
      "hash mismatch in fixed-output derivation ",
      "1 dependencies of derivation ",
      " failed to build",
    ],
  },
  {
    name: "the plan of a build",
    parse: (text) => {
      const folder = new BuildPlanFolder();
      return text.split("\n").flatMap((line) => folder.fold(line));
    },
    throws: [],
    words: ["these 5 derivations will be built:\n", "this derivation will be built:\n", `  ${path}\n`, "these 5 paths will be fetched (1 MiB download)"],
  },
  {
    name: "a failed build",
    parse: (text) => buildError({ exitCode: 1, configuration: "web1", lines: text.split("\n") }),
    throws: [],
    words: [
      ...nixErrors,
      "attribute 'web1' missing",
      "does not provide attribute ",
      "nixosConfigurations",
      "No space left on device",
      "/.cache/",
      "lock file contains ",
    ],
  },
  { name: "an evaluation error", parse: (text) => [evaluationMessage(text), missingFile(text)], throws: [], words: nixErrors },
  {
    name: "a flake that cannot be fetched",
    parse: (text) => explainFlake(command(text), "."),
    throws: [],
    words: [
      ...nixErrors,
      "repository path '",
      "could not find a flake.nix file",
      "does not contain a '",
      "getting status of ",
      "is not part of a flake",
      "HTTP error 404",
    ],
  },
  {
    name: "an input that cannot be fetched",
    parse: (text) => explainInput(text, "."),
    throws: [],
    words: [...nixErrors, "unable to download '", "HTTP error 401", "git ", "fatal: "],
  },
  {
    name: "a flake that cannot be sent",
    parse: (text) => [explainSendFailure(command(text), { what: "the flake", lost: false, user: "deploy" }), speaksOfDaemon(text)],
    throws: [],
    words: [...nixErrors, "protocol mismatch, got '", "nix-daemon: ", "not found", "lacks a ", "signature"],
  },
  {
    name: "flake metadata",
    parse: parseMetadata,
    throws: [SyntaxError, Error],
    words: ["{", "}", '"path":', `"${path}"`, '"locked":', '"resolved":', '"dir":', '"//a//"', '"revCount":', "1e999", ",", "null", '"__proto__":'],
  },
  { name: "an archived flake", parse: parseArchive, throws: [SyntaxError, Error], words: ["{", "}", '"path":', `"${path}"`, '"inputs":', ",", '"a":', "null"] },
  {
    name: "a lock file",
    parse: (text) => lockAround(makeFlake(), JSON.parse(text)),
    throws: [SyntaxError],
    words: ["{", "}", '"nodes":', '"root":', '"inputs":', '"a"', ":", "[", "]", ",", "null", '"__proto__"'],
  },
  {
    name: "a machine of an inventory",
    parse: (text) => parseEntry("web1", JSON.parse(text)),
    throws: [SyntaxError],
    words: ["{", "}", '"kind":', '"deploy-rs"', '"host":', '"web1"', '"sshOptions":', '["-p","22"]', '"port":', "1e999", ",", "null"],
  },
  { name: "a hash", parse: sriHash, throws: [Error], words: ["sha256:", "sha256-", "0123456789abcdfghijklmnpqrsvwxyz", "=", "z"] },
  {
    name: "lines",
    parse: (text) => {
      const lines: string[] = [];
      const cutter = lineCutter((line) => lines.push(line));
      for (const character of Buffer.from(text)) cutter.push(Buffer.from([character]));
      cutter.end();
      return lines;
    },
    throws: [],
    words: ["\r", "\n", "\r\n", "é", "x"],
  },
  { name: "a log line", parse: printable, throws: [], words: ["\u001b[31m", "\u001b]0;", "\u0007", "::error::", "##[error]"] },
  {
    name: "text for Markdown",
    parse: (text) => [codeSpan(text), oneLine(text), escapeHtml(text), preformatted(text, 2000)],
    throws: [],
    words: ["`", "``", "<img>", "|", "&", "\n", "[a](b)", "@octocat", "\u202e"],
  },
];

/** Errors whose stack people see where they are not expected; `Error` as such is one with a message for them. */
export function isDeclared(error: unknown, { throws }: Parser): boolean {
  if (!(error instanceof Error)) return false;
  const kinds = throws.filter((kind) => kind !== Error);
  if (kinds.some((kind) => error instanceof kind)) return true;
  return throws.includes(Error) && (error.constructor === Error || error instanceof InputError) && error.message.length < 2000;
}
