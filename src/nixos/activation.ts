import { setTimeout as sleep } from "node:timers/promises";

import { DeployError } from "../domain/errors.js";
import { changesMachine, rebuildAction } from "../domain/operation.js";
import { UnitPlanReader } from "../domain/unit-plan.js";
import type { Activation, ActivationEnd, HostLog, Limits, Reached, RollbackEnd, SystemState } from "../deploy/ports.js";
import { parseFacts, systemState } from "./facts.js";
import { followJob, LostJobError, runJob, startJob, UnstartedJobError, type CallScript, type Job } from "./job.js";
import { activationFailure } from "./activation-failure.js";
import { residentCall, residentScript } from "./remote-shell.js";
import { lastLines, type ScriptEnd } from "./session.js";

/** What the activation of one machine stands on. */
export type ActivationSite = {
  readonly run: string;
  /** Says who runs it, to somebody who is kept waiting by its lock. */
  readonly name: string;
  readonly call: CallScript;
  readonly log: HostLog;
  readonly signal: AbortSignal;
};

type Before = { readonly state: SystemState; readonly link: string };

// Between two looks at a lock that another run holds.
const lockPauseMilliseconds = 2000;
// Exit codes of keep.sh.
const tooLate = 7;
const forgotten = 3;

// A run that has lost the machine gives up within the limits and some time for connecting: a quarter of an hour is more.
const spareSeconds = 900;

/** Seconds for which a machine that has gone back by itself keeps what tells how that ended. */
function clearSeconds({ activation, confirm, healthCheck }: Limits): number {
  return activation + confirm + healthCheck + spareSeconds;
}

function residentTexts(run: string): string[] {
  return [residentScript("job"), residentScript("watchdog"), residentCall("finish", [run])];
}

/** Waits for the machine's lock, records what to go back to, and arms the watchdog. Throws a `DeployError`. */
async function arm({ operation, guarded, limits }: Activation, site: ActivationSite): Promise<Before> {
  const { run, name, call, log, signal } = site;
  const seconds = [limits.activation, limits.confirm, clearSeconds(limits)].map(String);
  const args = [run, rebuildAction(operation), ...seconds, guarded ? "yes" : "no", name, ...residentTexts(run)];
  const deadline = Date.now() + limits.lock * 1000;
  let told = "";
  for (;;) {
    const end = await call(() => ({ script: "arm", args, privileged: true }), "activate");
    const facts = parseFacts(end.stdout);
    if (end.exitCode === 0) return { state: systemState(facts), link: facts.get("link") ?? "" };
    const holder = facts.get("holder");
    if (holder === undefined) {
      throw new DeployError({
        phase: "activate",
        reason: `the watchdog cannot be armed (exit code ${end.exitCode}); nothing was activated`,
        hint: "Is there room below /run, and does systemd-run work there?",
        lines: lastLines(end.stderr),
        exitCode: end.exitCode,
      });
    }
    if (Date.now() >= deadline) {
      throw new DeployError({
        phase: "activate",
        reason: `the machine is locked after ${limits.lock} s of waiting: ${holder}`,
        hint: "Nothing was activated. Wait for it, or set lock-timeout; a concurrency group keeps runs of one workflow apart",
        exitCode: end.exitCode,
      });
    }
    if (holder !== told) log.note(`waiting for up to ${limits.lock} s: ${holder}`);
    told = holder;
    await sleep(lockPauseMilliseconds, undefined, { signal });
  }
}

/** The activation of one machine, from the lock to the decision for the new or the old system. */
export class GuardedActivation {
  readonly #activation: Activation;
  readonly #before: Before;
  readonly #site: ActivationSite;
  readonly #units = new UnitPlanReader();

  private constructor(activation: Activation, before: Before, site: ActivationSite) {
    this.#activation = activation;
    this.#before = before;
    this.#site = site;
  }

  /** Arms the watchdog. From here on the machine goes back by itself unless it is confirmed. */
  static async begin(activation: Activation, site: ActivationSite): Promise<GuardedActivation> {
    return new GuardedActivation(activation, await arm(activation, site), site);
  }

  /** Runs the command once and follows it. A machine that has been restarted meanwhile has a failed activation. */
  async run(command: readonly string[], call: CallScript): Promise<ActivationEnd> {
    const { log, run } = this.#site;
    const before = this.#before.state;
    const { limits, guarded, operation } = this.#activation;
    try {
      const { exitCode, lines, state } = await runJob({ ...this.#job("activate"), command }, call);
      return { exitCode, lines, before, after: state, plan: this.#plan(), failure: exitCode === 0 ? undefined : activationFailure({ exitCode, lines }) };
    } catch (error) {
      if (error instanceof UnstartedJobError) {
        const { reason, lines, exitCode = 1 } = error;
        return { exitCode, lines, before, after: await this.#ask(), plan: undefined, failure: { kind: "other", reason, hint: "Does systemd-run work there?" } };
      }
      if (!(error instanceof LostJobError)) throw error;
      log.note(error.reason);
      const after = await this.#ask();
      const lines = error.lines;
      if (after.bootId !== before.bootId) {
        const failure = {
          kind: "killed",
          reason: "the machine was restarted during the activation",
          hint: "Look at its journal: `journalctl --boot -1`",
        } as const;
        return { exitCode: 255, lines, before, after, plan: this.#plan(), failure };
      }
      const late =
        guarded && changesMachine(operation)
          ? `the activation took longer than activation-timeout (${limits.activation} s), or was killed`
          : "the activation was killed";
      return {
        exitCode: 255,
        lines,
        before,
        after,
        plan: this.#plan(),
        failure: { kind: "killed", reason: late, hint: `Look at \`journalctl --unit nix-flake-deploy-${run}-activate\` on the machine` },
      };
    }
  }

  /** Gives the watchdog the time of a health check. */
  async hold(): Promise<Reached> {
    return await this.#decide(["hold", String(this.#activation.limits.healthCheck + this.#activation.limits.confirm)]);
  }

  /** Decides for the new system. */
  async keep(): Promise<Reached> {
    return await this.#decide(["keep"]);
  }

  /** Decides for the old system and goes back; where the watchdog has done so already, tells how that went. */
  async rollBack(): Promise<RollbackEnd> {
    const { call, run } = this.#site;
    const looked = await call(() => ({ script: "keep", args: [run, "look"], privileged: true }), "rollback");
    if (looked.exitCode === forgotten) await this.#recover();
    else if (looked.exitCode !== 0) throw refusal("rollback", "the machine has already decided for the new system", looked);
    await startJob({ ...this.#job("back"), command: ["/bin/sh", "./watchdog.sh", "back"] }, call);
    const { exitCode, lines } = await followJob(this.#job("rollback"), call);
    // It has a little to do after the way back itself.
    const { state } = await followJob(this.#job("back"), call);
    return { exitCode, lines, state };
  }

  #job(name: "activate" | "back" | "rollback"): Omit<Job, "command"> {
    const phase = name === "activate" ? "activate" : "rollback";
    const onLine = (line: string): void => {
      if (name === "activate") this.#units.read(line);
      this.#site.log.output(line);
    };
    return { run: this.#site.run, name, phase, privileged: true, onLine };
  }

  #plan(): ActivationEnd["plan"] {
    return this.#units.plan("activation");
  }

  async #decide(words: readonly string[]): Promise<Reached> {
    const { call, run } = this.#site;
    const end = await call(() => ({ script: "keep", args: [run, ...words], privileged: true }), "confirm");
    if (end.exitCode === tooLate) return "late";
    if (end.exitCode === forgotten) return "restarted";
    if (end.exitCode === 0) return systemState(parseFacts(end.stdout));
    throw refusal("confirm", "the machine cannot be told to keep the new system", end);
  }

  async #ask(): Promise<SystemState> {
    const end = await this.#site.call(() => ({ script: "facts", args: [], privileged: false }), "activate");
    return systemState(parseFacts(end.stdout));
  }

  // After a restart the machine has forgotten what to go back to; we have not.
  async #recover(): Promise<void> {
    const { link, state } = this.#before;
    const args = [
      this.#site.run,
      rebuildAction(this.#activation.operation),
      link,
      state.profile ?? "",
      state.running ?? "",
      String(clearSeconds(this.#activation.limits)),
      ...residentTexts(this.#site.run),
    ];
    const end = await this.#site.call(() => ({ script: "recover", args, privileged: true }), "rollback");
    if (end.exitCode !== 0) throw refusal("rollback", "the machine cannot be told what to go back to", end);
  }
}

function refusal(phase: "confirm" | "rollback", reason: string, end: ScriptEnd): DeployError {
  return new DeployError({ phase, reason: `${reason} (exit code ${end.exitCode})`, lines: lastLines(end.stderr), exitCode: end.exitCode });
}
