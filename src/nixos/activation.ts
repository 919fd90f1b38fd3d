import { setTimeout as sleep } from "node:timers/promises";

import { DeployError } from "../domain/errors.js";
import { switchAction, type SwitchAction } from "../domain/operation.js";
import { UnitPlanReader } from "../domain/unit-plan.js";
import type { Activation, ActivationEnd, HostLog, Limits, Reached, RollbackEnd, SystemState } from "../deploy/ports.js";
import { parseFacts, systemState } from "./facts.js";
import { followJob, LostJobError, runJob, startJob, UnstartedJobError, type CallScript, type Job } from "./job.js";
import { residentCall, residentScript } from "./remote-shell.js";
import { lastLines, type ScriptEnd } from "./session.js";
import { activateCommand } from "./switch-command.js";
import { SwitchOutputReader } from "./switch-output.js";

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
function clearSeconds({ activation, confirm, healthCheck, settle }: Limits): number {
  return activation + confirm + healthCheck + settle + spareSeconds;
}

function residentTexts(run: string): string[] {
  return [residentScript("job"), residentScript("watchdog"), residentCall("finish", [run]), residentScript("switch")];
}

/** Waits for the machine's lock, records what to go back to, and arms the watchdog. Throws a `DeployError`. */
async function arm({ operation, guarded, limits }: Activation, site: ActivationSite): Promise<Before> {
  const { run, name, call, log, signal } = site;
  const seconds = [limits.activation, limits.confirm, clearSeconds(limits)].map(String);
  const args = [run, actionOf(operation), ...seconds, guarded ? "yes" : "no", name, ...residentTexts(run), residentScript("activate")];
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

function actionOf(operation: Activation["operation"]): SwitchAction {
  const action = switchAction(operation);
  if (action === undefined) throw new Error(`${operation} activates nothing`);
  return action;
}

/** The activation of one machine, from the lock to the decision for the new or the old system. */
export class GuardedActivation {
  readonly #activation: Activation;
  readonly #before: Before;
  readonly #site: ActivationSite;
  readonly #units = new UnitPlanReader();
  readonly #output = new SwitchOutputReader();

  private constructor(activation: Activation, before: Before, site: ActivationSite) {
    this.#activation = activation;
    this.#before = before;
    this.#site = site;
  }

  /** Arms the watchdog. From here on the machine goes back by itself unless it is confirmed. */
  static async begin(activation: Activation, site: ActivationSite): Promise<GuardedActivation> {
    return new GuardedActivation(activation, await arm(activation, site), site);
  }

  /** The system when the machine was armed. */
  get before(): SystemState {
    return this.#before.state;
  }

  /** Activates the system, once, and follows it. */
  async run(call: CallScript): Promise<ActivationEnd> {
    const { log } = this.#site;
    const { operation, system, installBootLoader } = this.#activation;
    const command = activateCommand(actionOf(operation), system, installBootLoader);
    try {
      const { exitCode, lines, state } = await runJob({ ...this.#job("activate"), command }, call);
      return this.#end({ exitCode, lines, end: "ended", after: state });
    } catch (error) {
      if (error instanceof UnstartedJobError)
        return this.#end({ exitCode: error.exitCode ?? 1, lines: error.lines, end: "not-started", after: await this.#ask() });
      if (!(error instanceof LostJobError)) throw error;
      log.note(error.reason);
      const after = await this.#ask();
      return this.#end({ exitCode: 255, lines: error.lines, end: after.bootId === this.before.bootId ? "killed" : "restarted", after });
    }
  }

  /** Gives the watchdog the time of settling and of a health check. */
  async hold(): Promise<Reached> {
    const { healthCheck, settle, confirm } = this.#activation.limits;
    return await this.#decide("keep", ["hold", String(healthCheck + settle + confirm)]);
  }

  /** Waits until the settle time is over. */
  async settle(): Promise<Reached> {
    return await this.#decide("settle", [String(this.#activation.limits.settle)]);
  }

  /** Decides for the new system. */
  async keep(): Promise<Reached> {
    return await this.#decide("keep", ["keep"]);
  }

  /** Decides for the old system and goes back; where the watchdog has done so already, tells how that went. */
  async rollBack(): Promise<RollbackEnd> {
    const { call, run } = this.#site;
    const looked = await call(() => ({ script: "keep", args: [run, "look"], privileged: true }), "rollback");
    if (looked.exitCode === forgotten) await this.#recover();
    else if (looked.exitCode !== 0) throw refusal("rollback", "the machine has already decided for the new system", looked);
    await startJob({ ...this.#job("back"), command: ["/bin/sh", "./watchdog.sh", "back"] }, call);
    const output = new SwitchOutputReader();
    const { exitCode, lines } = await followJob(this.#job("rollback", output), call);
    // It has a little to do after the way back itself.
    const { state } = await followJob(this.#job("back"), call);
    return { exitCode, causes: output.causes(), lines, state };
  }

  #job(name: "activate" | "back" | "rollback", output?: SwitchOutputReader): Omit<Job, "command"> {
    const phase = name === "activate" ? "activate" : "rollback";
    const onLine = (line: string): void => {
      if (name === "activate") this.#units.read(line);
      (name === "activate" ? this.#output : output)?.read(line);
      this.#site.log.output(line);
    };
    return { run: this.#site.run, name, phase, privileged: true, onLine };
  }

  #end(end: Omit<ActivationEnd, "causes" | "plan">): ActivationEnd {
    return { ...end, causes: this.#output.causes(), plan: this.#units.plan("activation") };
  }

  async #decide(script: "keep" | "settle", words: readonly string[]): Promise<Reached> {
    const { call, run } = this.#site;
    const end = await call(() => ({ script, args: [run, ...words], privileged: true }), "confirm");
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
      actionOf(this.#activation.operation),
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
