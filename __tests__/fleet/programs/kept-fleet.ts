import { spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { appendFileSync, chmodSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { deploymentProblems, type KeptMachine, machinesOf, type MachineReport } from "./kept-fleet/deployed.js";
import { filesIn, readInputs, waitForFile } from "./kept-fleet/files.js";
import { keep } from "./kept-fleet/keep.js";
import { renderMasks, renderOutputs } from "./kept-fleet/step-outputs.js";
import { nodeAsRoot } from "../../../scripts/system-packages.js";

// Two real machines for a step that runs this action on this host. Arguments: start|check|stop DIRECTORY.
// start: boots them, and returns when they answer. Writes ssh-key, ssh-known-hosts and targets to GITHUB_OUTPUT, or prints them.
// check: asks the machines whether they run what RESULTS, the output `results` of the step, says. Exit code 1 where they do not.
// stop: removes them. `keep` is what start leaves running, as root.

const [command, named] = process.argv.slice(2);
if (named === undefined) throw new Error("usage: kept-fleet.js start|check|stop DIRECTORY");
const directory = resolve(named);
const files = filesIn(directory);
const commands: Readonly<Record<string, () => Promise<void> | void>> = { start, check, stop, keep: async () => await keep(directory) };
const run = commands[command ?? ""];
if (run === undefined) throw new Error(`${command} is not one of start, check, stop`);
await run();

async function start(): Promise<void> {
  mkdirSync(directory, { mode: 0o700 });
  writeFileSync(files.keep, "");
  const log = openSync(files.log, "a");
  const [file, ...args] = nodeAsRoot();
  const keeper = spawn(file, [...args, fileURLToPath(import.meta.url), "keep", directory], { detached: true, stdio: ["ignore", log, log] });
  let end: string | undefined;
  keeper.once("error", (error) => (end = error.message));
  keeper.once("exit", (code, signal) => (end = `exit ${code ?? signal}`));
  await waitForFile(files.inputs, true, () => (end === undefined ? undefined : `the machines did not boot (${end}):\n${readFileSync(files.log, "utf8")}`));
  keeper.unref();
  const inputs = readInputs(directory);
  const output = process.env["GITHUB_OUTPUT"];
  if (output === undefined) {
    process.stdout.write(`${JSON.stringify(inputs, undefined, 2)}\n`);
    return;
  }
  process.stdout.write(renderMasks(inputs));
  appendFileSync(output, renderOutputs(inputs, `end-${randomUUID()}`));
  process.stdout.write(`${inputs.targets}\n`);
}

function check(): void {
  const inputs = readInputs(directory);
  const results: unknown = JSON.parse(process.env["RESULTS"] ?? "[]");
  const scratch = mkdtempSync(join(tmpdir(), "kept-fleet-"));
  try {
    writeFileSync(join(scratch, "key"), inputs["ssh-key"]);
    chmodSync(join(scratch, "key"), 0o600);
    writeFileSync(join(scratch, "known_hosts"), inputs["ssh-known-hosts"]);
    for (const machine of machinesOf(inputs)) {
      const problems = deploymentProblems(results, machine, ask(machine, scratch));
      process.stdout.write(problems.length === 0 ? `${machine.configuration} runs what was reported\n` : problems.map((problem) => `${problem}\n`).join(""));
      if (problems.length > 0) process.exitCode = 1;
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function ask({ user, address, port }: KeptMachine, scratch: string): MachineReport {
  const options = ["-F", "none", "-i", join(scratch, "key"), "-o", `UserKnownHostsFile=${join(scratch, "known_hosts")}`, "-o", "BatchMode=yes", "-p", port];
  const script = "readlink -f /run/current-system; readlink -f /nix/var/nix/profiles/system; cat /etc/motd-nixos";
  const { status, stdout, stderr } = spawnSync("ssh", [...options, `${user}@${address}`, script], { encoding: "utf8" });
  if (status !== 0) throw new Error(`ssh ${user}@${address} exited with ${status}: ${stderr}`);
  const [running = "", profile = "", greeting = ""] = stdout.split("\n");
  return { running, profile, greeting };
}

async function stop(): Promise<void> {
  rmSync(files.keep, { force: true });
  const began = Date.now();
  const late = (): string | undefined => (Date.now() - began > 60_000 ? `the machines were not removed:\n${readFileSync(files.log, "utf8")}` : undefined);
  if (existsSync(files.log)) await waitForFile(files.stopped, true, late);
  const [file, ...args] = nodeAsRoot();
  // Some of the files are root's.
  spawnSync(file, [...args, "--eval", "require('node:fs').rmSync(process.argv[1], { recursive: true, force: true })", directory], { stdio: "inherit" });
}
