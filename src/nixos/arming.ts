import { setTimeout as sleep } from "node:timers/promises";

import { lastLines } from "../domain/lines.js";
import { DeployError } from "../domain/errors.js";
import type { Activation, HostLog, Limits, SystemState } from "../deploy/ports.js";
import { parseFacts, systemState } from "./facts.js";
import { runJob, type CallScript } from "./job.js";
import { residentScript } from "./script-files.js";
import { wayOf } from "./switch-command.js";

/** What the activation of one machine needs. */
export type ActivationSite = {
  readonly run: string;
  /** Names the run to users who wait for its lock. */
  readonly name: string;
  readonly call: CallScript;
  readonly log: HostLog;
  readonly signal: AbortSignal;
};

/** What a machine reported when it was armed. */
export type Before = { readonly state: SystemState; readonly scarceBoot: { readonly free: number; readonly needed: number } | undefined };

// Between two attempts to take a lock that another run holds.
const lockPauseMilliseconds = 2000;

// A run that has lost the machine gives up within the limits and some time for connecting: a quarter of an hour is more.
const spareSeconds = 900;

/** Seconds for which a machine that has rolled back on its own keeps the logs of that. */
function clearSeconds({ activation, confirm, healthCheck, settle }: Limits): number {
  return activation + confirm + healthCheck + settle + spareSeconds;
}

const residents = ["job", "watchdog", "switch", "activate", "last"] as const;

// finish.sh comes with the lease.
function residentTexts(): string[] {
  return residents.flatMap((name) => [`${name}.sh`, residentScript(name)]);
}

/**
 * Waits for the machine's lock, arms the watchdog, and has the machine finish or undo an interrupted earlier run, before it records
 * what to roll back to. Throws a `DeployError`.
 */
export async function arm(activation: Activation, site: ActivationSite): Promise<Before> {
  const facts = await armOnce(activation, site);
  if (facts.get("mend") !== "yes") return beforeOf(facts);
  site.log.note("an earlier run or switch was interrupted on the machine: finishing or undoing it first");
  const mend = { run: site.run, name: "mend", phase: "activate", privileged: true, onLine: (line: string) => site.log.output(line) } as const;
  const { exitCode, lines } = await runJob({ ...mend, command: ["/bin/sh", "./last.sh", "mend"] }, site.call);
  if (exitCode !== 0) {
    throw new DeployError({
      phase: "activate",
      reason: `an interrupted earlier run could be neither finished nor undone (exit code ${exitCode})`,
      hint: "The new system was not activated. Fix what the output below reports, then deploy again",
      lines,
      exitCode,
    });
  }
  return beforeOf(await armOnce(activation, site));
}

function beforeOf(facts: ReadonlyMap<string, string>): Before {
  const scarce = /^(\d{1,15}) (\d{1,15})$/.exec(facts.get("scarce-boot") ?? "");
  return { state: systemState(facts), scarceBoot: scarce === null ? undefined : { free: Number(scarce[1]), needed: Number(scarce[2]) } };
}

async function armOnce({ operation, system, installBootLoader, guarded, limits }: Activation, site: ActivationSite): Promise<ReadonlyMap<string, string>> {
  const { run, name, call, log, signal } = site;
  const seconds = [limits.activation, limits.confirm, clearSeconds(limits)].map(String);
  const what = [system.toplevel, system.running, system.generation?.toString() ?? "", installBootLoader ? "1" : "0"];
  const args = [run, wayOf(operation, guarded).way, ...seconds, name, ...what, ...residentTexts()];
  const deadline = performance.now() + limits.lock * 1000;
  let told = "";
  for (;;) {
    const end = await call(() => ({ script: "arm", args, privileged: true }), "activate");
    const facts = parseFacts(end.stdout);
    if (end.exitCode === 0) return facts;
    const holder = facts.get("holder");
    if (holder === undefined) {
      throw new DeployError({
        phase: "activate",
        reason: `the watchdog could not be armed (exit code ${end.exitCode}); nothing was activated`,
        hint: "Check the free space in /run and /nix/var/nix, and that systemd-run works on the machine",
        lines: lastLines(end.stderr),
        exitCode: end.exitCode,
      });
    }
    if (performance.now() >= deadline) {
      throw new DeployError({
        phase: "activate",
        reason: `the machine is still locked after ${limits.lock} s: ${holder}`,
        hint: "Nothing was activated. Deploy again when it has finished, or raise lock-timeout; a concurrency group prevents two runs of one workflow at the same time",
        topic: "locked",
        exitCode: end.exitCode,
      });
    }
    if (holder !== told) log.note(`waiting up to ${limits.lock} s for the lock: ${holder}`);
    told = holder;
    await sleep(lockPauseMilliseconds, undefined, { signal });
  }
}
