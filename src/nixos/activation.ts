import { DeployError } from "../domain/errors.js";
import { lastLines } from "../domain/lines.js";
import { UnitPlanReader } from "../domain/unit-plan.js";
import type { Activation, ActivationEnd, LastStep, Reached, RollbackEnd, SystemState } from "../deploy/ports.js";
import { arm, type ActivationSite, type Before } from "./arming.js";
import { parseFacts, systemState } from "./facts.js";
import { followJob, LostJobError, runJob, startJob, UnstartedJobError, type CallScript, type Job } from "./job.js";
import { LastStepReader } from "./last-step.js";
import type { ScriptEnd } from "./reconnect.js";
import { scriptSeconds } from "./script-limits.js";
import { activateCommand, wayOf } from "./switch-command.js";
import { SwitchOutputReader } from "./switch-output.js";

// Exit codes of decide.sh.
const tooLate = 7;
const forgotten = 3;
// Of last.sh and watchdog.sh: the machine runs another system, and nothing was changed.
const foreignSystem = 9;

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

  /** Arms the watchdog. From here on the machine rolls back on its own unless it is confirmed. */
  static async begin(activation: Activation, site: ActivationSite): Promise<GuardedActivation> {
    return new GuardedActivation(activation, await arm(activation, site), site);
  }

  /** The system when the machine was armed. */
  get before(): SystemState {
    return this.#before.state;
  }

  get scarceBoot(): Before["scarceBoot"] {
    return this.#before.scarceBoot;
  }

  /** Activates the system, once, and follows it. */
  async run(call: CallScript): Promise<ActivationEnd> {
    const { log } = this.#site;
    const { operation, system, installBootLoader, guarded } = this.#activation;
    const command = activateCommand(wayOf(operation, guarded).action, system, installBootLoader);
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

  /** Extends the watchdog's time by those of settling and of a health check. */
  async hold(): Promise<Reached> {
    return await this.#decide("decide", ["hold", this.#holdSeconds]);
  }

  /** Reports that the machine is reached; the watchdog's time goes on, since the decision follows soon. */
  async present(): Promise<Reached> {
    return await this.#decide("decide", ["present"]);
  }

  /** Tells the machine, over the connection from before, that ssh has answered a new one, whose login is not over yet. */
  async reached(call: CallScript): Promise<void> {
    await call(() => ({ script: "decide", args: [this.#site.run, "reached", this.#holdSeconds], privileged: true }), "confirm");
  }

  /** Waits until the settle time is over. */
  async settle(): Promise<Reached> {
    const { settle } = this.#activation.limits;
    return await this.#decide("settle", [String(settle)], settle + scriptSeconds("settle"));
  }

  /** Decides for the new system, and follows the last step where there is one. */
  async keep(): Promise<LastStep | "late" | "restarted"> {
    const { way } = wayOf(this.#activation.operation, this.#activation.guarded);
    for (let tries = 1; ; tries += 1) {
      const kept = await this.#decide("decide", ["keep"]);
      if (kept === "late" || kept === "restarted") return kept;
      if (typeof kept === "string") throw new Error(`unexpected answer to a decision: ${kept}`);
      if (way === "test" || way === "plain") return { kind: "done", state: kept };
      const reader = new LastStepReader();
      try {
        const { exitCode, lines, state } = await followJob({ ...this.#job("last"), onLine: this.#onLine(reader) }, this.#site.call);
        if (exitCode === 0) return { kind: "done", state };
        if (exitCode === foreignSystem) return { kind: "foreign", state };
        return { kind: "failed", lines, state, ...reader.output() };
      } catch (error) {
        if (!(error instanceof LostJobError)) throw error;
        if (await this.#wasRestarted()) return "restarted";
        // It was killed. Started again, it continues from its record.
        if (tries > 1) throw error;
        this.#site.log.note("setting system profile and boot loader was interrupted on the machine; starting it again");
      }
    }
  }

  /** Decides that nothing more is changed. */
  async drop(): Promise<Reached> {
    return await this.#decide("decide", ["drop"]);
  }

  /** Decides for the old system and rolls back; where the watchdog has done so already, returns how that ended. */
  async rollBack(): Promise<RollbackEnd | "restarted"> {
    const { call, run } = this.#site;
    const looked = await call(() => ({ script: "decide", args: [run, "look"], privileged: true }), "rollback");
    if (looked.exitCode === forgotten) return "restarted";
    if (looked.exitCode !== 0) throw refusal("rollback", "the machine has already made another decision", looked);
    const output = new SwitchOutputReader();
    try {
      await startJob({ ...this.#job("back"), command: ["/bin/sh", "./watchdog.sh", "back"] }, call);
      const { exitCode, lines } = await followJob({ ...this.#job("rollback"), onLine: this.#onLine(output) }, call);
      // It has a little to do after the rollback itself.
      const { state } = await followJob(this.#job("back"), call);
      return { exitCode, foreign: exitCode === foreignSystem, causes: output.causes(), lines, state };
    } catch (error) {
      if (!(error instanceof LostJobError) && !(error instanceof UnstartedJobError)) throw error;
      if (await this.#wasRestarted()) return "restarted";
      return { exitCode: 255, foreign: false, causes: output.causes(), lines: error.lines, state: await this.#ask() };
    }
  }

  /** Queries a restarted machine for what it runs; an unfinished last step is finished or undone first, under the lock. */
  async afterRestart(): Promise<SystemState> {
    const { call, run } = this.#site;
    const end = await call(() => ({ script: "facts", args: [], privileged: false }), "confirm");
    const facts = parseFacts(end.stdout);
    if ((facts.get("unfinished") ?? "") === "") return systemState(facts);
    const prepared = await call(() => ({ script: "prepare", args: [run], privileged: true }), "rollback");
    if (prepared.exitCode !== 0) throw refusal("rollback", "the files of the run could not be created on the machine", prepared);
    const again = await GuardedActivation.begin(this.#activation, this.#site);
    await again.drop();
    return again.before;
  }

  get #holdSeconds(): string {
    const { healthCheck, settle, confirm } = this.#activation.limits;
    return String(healthCheck + settle + confirm);
  }

  #job(name: "activate" | "back" | "rollback" | "last"): Omit<Job, "command"> {
    const phases = { activate: "activate", back: "rollback", rollback: "rollback", last: "confirm" } as const;
    const onLine = (line: string): void => {
      if (name === "activate") this.#units.read(line);
      if (name === "activate") this.#output.read(line);
      this.#site.log.output(line);
    };
    return { run: this.#site.run, name, phase: phases[name], privileged: true, seconds: longestJob(this.#activation.limits), onLine };
  }

  #onLine(reader: { read(line: string): void }): (line: string) => void {
    return (line) => {
      reader.read(line);
      this.#site.log.output(line);
    };
  }

  async #wasRestarted(): Promise<boolean> {
    return (await this.#ask()).bootId !== this.before.bootId;
  }

  #end(end: Omit<ActivationEnd, "causes" | "plan" | "touched">): ActivationEnd {
    return { ...end, causes: this.#output.causes(), touched: this.#output.touched, plan: this.#units.plan("activation") };
  }

  async #decide(script: "decide" | "settle", words: readonly string[], timeout?: number): Promise<Reached> {
    const { call, run } = this.#site;
    const end = await call(() => ({ script, args: [run, ...words], privileged: true, timeout }), "confirm");
    if (end.exitCode === tooLate) return "late";
    if (end.exitCode === forgotten) return "restarted";
    if (end.exitCode === 0) return systemState(parseFacts(end.stdout));
    throw refusal("confirm", "the watchdog on the machine did not accept the decision", end);
  }

  async #ask(): Promise<SystemState> {
    const end = await this.#site.call(() => ({ script: "facts", args: [], privileged: false }), "activate");
    return systemState(parseFacts(end.stdout));
  }
}

/**
 * Seconds after which a machine that still follows a job of the activation is given up. The machine itself ends each part after
 * activation-timeout; a lost connection may take as long again to come back, and the end of a unit 90 s.
 */
function longestJob({ activation, confirm }: Activation["limits"]): number {
  return 4 * activation + confirm + 600;
}

function refusal(phase: "confirm" | "rollback", reason: string, end: ScriptEnd): DeployError {
  return new DeployError({ phase, reason: `${reason} (exit code ${end.exitCode})`, lines: lastLines(end.stderr), exitCode: end.exitCode });
}
