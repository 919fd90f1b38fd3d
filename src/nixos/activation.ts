import { changesRunningSystem } from "../domain/operation.js";
import { UnitPlanReader } from "../domain/unit-plan.js";
import type { Activation, ActivationEnd, Confirmed, LastStep, Reached, RollbackEnd, SystemState } from "../deploy/ports.js";
import { arm, type ActivationSite, type Before } from "./arming.js";
import { parseFacts, systemState } from "./facts.js";
import { prepareCall } from "./lease.js";
import { forgotten, readDecision, refusal } from "./decision.js";
import { followJob, LostJobError, runJob, startJob, UnstartedJobError, type CallScript, type Job } from "./job.js";
import { confirmSystem, foreignSystem, keepSystem, type Keeping } from "./keeping.js";
import { scriptSeconds } from "./script-limits.js";
import { activateCommand, wayOf } from "./switch-command.js";
import { SwitchOutputReader } from "./switch-output.js";

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

  /**
   * Decides for the new system, where it runs and no other units have failed than those of before and these; then follows the last step.
   * Else returns the state of the machine, and nothing is decided.
   */
  async confirm(failedUnits: readonly string[]): Promise<Confirmed> {
    const { operation, guarded, system } = this.#activation;
    const running = guarded && changesRunningSystem(operation) ? system.running : "";
    const known = [...this.before.failedUnits, ...this.before.restartingUnits, ...failedUnits];
    return await confirmSystem(this.#keeping, running, known);
  }

  /** Decides for the new system, and follows the last step where there is one. */
  async keep(): Promise<LastStep | "late" | "restarted"> {
    return await keepSystem(this.#keeping);
  }

  get #keeping(): Keeping {
    const { way } = wayOf(this.#activation.operation, this.#activation.guarded);
    return {
      hasLastStep: way === "switch" || way === "boot",
      job: (reader) => ({ ...this.#job("last"), onLine: this.#onLine(reader) }),
      call: this.#site.call,
      log: this.#site.log,
      wasRestarted: async () => await this.#wasRestarted(),
    };
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
    const prepared = await call(() => prepareCall(run, [], true), "rollback");
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
    return readDecision(await call(() => ({ script, args: [run, ...words], privileged: true, timeout }), "confirm"));
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
