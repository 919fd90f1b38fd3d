import { DeployError } from "../domain/errors.js";
import { changesMachine } from "../domain/operation.js";
import type { Phase } from "../domain/phase.js";
import type { HostResult } from "../domain/result.js";
import { withCompared } from "../domain/unit-plan.js";
import type { Outcome } from "./guarded.js";
import { knownAtFirst, outlookOf, resultOf, type HostKnowledge } from "./host-knowledge.js";
import { PhaseClock } from "./phase-clock.js";
import type { HostLog, Machine } from "./ports.js";
import { Preparation, type Prepared, type ReadySystem } from "./preparation.js";
import type { RunSettings } from "./run-settings.js";
import { activateSafely, explainEnd } from "./safe-activation.js";
import type { MachinesOfRun } from "./same-machine.js";
import { judge } from "./verdict.js";

/**
 * The work on one host: `prepare` up to a built system, then `activate` that. Both throw on failure; `result` returns
 * what is known so far.
 */
export class Host {
  readonly machine: Machine;
  readonly #settings: RunSettings;
  readonly #log: HostLog;
  readonly #known: HostKnowledge;
  readonly #clock = new PhaseClock();
  readonly #machines: MachinesOfRun;

  constructor(machine: Machine, settings: RunSettings, log: HostLog, machines: MachinesOfRun) {
    this.machine = machine;
    this.#settings = settings;
    this.#log = log;
    this.#machines = machines;
    this.#known = knownAtFirst(machine.target);
  }

  get phase(): Phase {
    return this.#known.phase;
  }

  /** The flake has arrived on the machine. */
  get arrived(): boolean {
    return this.#known.arrived;
  }

  /** The machine is armed, and neither the new nor the old system was decided for. */
  get undecided(): boolean {
    return this.#known.undecided;
  }

  /** What happens to the machine if the run ends now. */
  get outlook(): string {
    return outlookOf(this.#known, this.#settings.safety);
  }

  /** Connects, copies the flake, builds the system and compares it with the running one; or finds the system to roll back to. */
  async prepare(signal: AbortSignal): Promise<Prepared> {
    try {
      return await new Preparation({
        machine: this.machine,
        settings: this.#settings,
        log: this.#log,
        known: this.#known,
        machines: this.#machines,
        begin: (phase) => this.#begin(phase),
        ended: (detail) => this.#ended(detail),
      }).run(signal);
    } finally {
      this.#clock.pause();
    }
  }

  /** Activates a system, and keeps it or rolls back. Throws if it ends before that decision. */
  async activate(ready: ReadySystem, signal: AbortSignal): Promise<Outcome> {
    try {
      this.#begin("activate");
      return changesMachine(this.#settings.operation) ? await this.#activate(ready, signal) : await this.#dryActivate(ready, signal);
    } finally {
      this.#clock.pause();
    }
  }

  async #dryActivate({ machine, system }: ReadySystem, signal: AbortSignal): Promise<Outcome> {
    const known = this.#known;
    const { operation } = this.#settings;
    const end = await machine.dryActivate(system, signal);
    const { exitCode, lines, causes } = end;
    known.exitCode = exitCode;
    known.plan = end.plan === undefined ? known.plan : withCompared(end.plan, known.plan);
    // It starts no units, so it does not cause new failures.
    const before = { ...end.after, restartingUnits: [] };
    const { failure, units, users } = judge({ operation, toplevel: system.toplevel, before, end });
    const complaint = explainEnd(end.end, this.#settings) ?? failure ?? (exitCode === 0 ? undefined : (units ?? users));
    if (complaint !== undefined) throw new DeployError({ phase: "activate", ...complaint, lines, exitCode, causes });
    this.#ended();
    return { status: "planned", error: undefined };
  }

  async #activate({ machine, system }: ReadySystem, signal: AbortSignal): Promise<Outcome> {
    return await activateSafely({
      machine,
      system,
      settings: this.#settings,
      known: this.#known,
      signal,
      log: this.#log,
      begin: (phase) => this.#begin(phase),
      ended: () => this.#ended(),
    });
  }

  /** Leaves the machine; an undecided activation continues there. Never throws. */
  async release(): Promise<void> {
    await this.machine.release(this.undecided ? "undecided" : "decided");
  }

  /** The host's result with what is known now. */
  result(outcome: Outcome, seconds: number): HostResult {
    return resultOf(this.machine.target, this.#known, outcome, seconds, this.#clock.spans());
  }

  /** A phase begins. */
  #begin(phase: Phase): void {
    this.#known.phase = phase;
    this.#clock.begin(phase);
    this.#log.phase(phase);
  }

  /** The phase has ended well. */
  #ended(detail?: string): void {
    this.#log.ended(detail);
  }
}
