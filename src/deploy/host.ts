import { renderDifferenceLines } from "../domain/difference-text.js";
import { DeployError } from "../domain/errors.js";
import { renderCopied } from "../domain/copy-progress.js";
import { changesMachine, changesRunningSystem, touchesUnits } from "../domain/operation.js";
import type { Phase } from "../domain/phase.js";
import type { HostResult } from "../domain/result.js";
import type { StorePath } from "../domain/store-path.js";
import { renderPlanLines } from "../domain/plan-text.js";
import { withCompared } from "../domain/unit-plan.js";
import { memoryWarning } from "./free-memory.js";
import { spaceWarning } from "./free-space.js";
import type { Outcome } from "./guarded.js";
import { knownAtFirst, outlookOf, resultOf, settledBy, type HostKnowledge } from "./host-knowledge.js";
import { requireKnownProfile } from "./known-profile.js";
import { PhaseClock } from "./phase-clock.js";
import type { ActivatableSystem, ConnectedMachine, HostLog, Machine, MachineFacts } from "./ports.js";
import { retried } from "./retry.js";
import type { RunSettings } from "./run-settings.js";
import type { MachinesOfRun } from "./same-machine.js";
import { activateSafely, explainEnd } from "./safe-activation.js";
import type { SystemSource, SystemSteps } from "./system-source.js";
import { judge } from "./verdict.js";
import { configurationFor, generationBefore } from "./which-system.js";

/** The result of the work up to the build: an outcome, or a system ready for activation. */
export type Prepared = { readonly kind: "settled"; readonly outcome: Outcome } | { readonly kind: "ready"; readonly system: ReadySystem };

/** A system that can be activated on a machine that has it. */
export type ReadySystem = { readonly machine: ConnectedMachine; readonly system: ActivatableSystem };

/** A system that the machine has, and the machine as it is connected now. */
type Obtained = {
  readonly machine: ConnectedMachine;
  readonly toplevel: StorePath;
  readonly generation: number | undefined;
  /** What the log says of the phase that got it there. */
  readonly detail: string | undefined;
};

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
      return await this.#prepare(signal);
    } finally {
      this.#clock.pause();
    }
  }

  async #prepare(signal: AbortSignal): Promise<Prepared> {
    const known = this.#known;
    const { operation, variant, systemOf } = this.#settings;
    const { target } = this.machine;
    const connected = await this.#tryAgain("connect", signal, async () => await this.machine.connect(signal));
    const { facts } = connected;
    known.before = facts.state;
    if (facts.unfinished !== undefined) this.#log.warn(`${facts.unfinished}. The next activation finishes or undoes it first`);
    this.#machines.claim(target, facts.identity);
    const obtained = systemOf === undefined ? this.#older(connected) : await this.#newSystem(systemOf(target), connected, signal);
    const { machine, toplevel, generation, detail } = obtained;
    known.toplevel = toplevel;
    await requireKnownProfile(target, facts, { toplevel, phase: known.phase }, this.#settings, signal);
    const { specialisation } = variant;
    const running = specialisation === undefined ? toplevel : await machine.findSpecialisation(toplevel, specialisation, signal);
    await this.#compare(machine, running, signal);
    this.ended(detail);
    if (changesRunningSystem(operation) && facts.specialisation !== undefined && facts.specialisation !== specialisation) {
      this.#log.note(
        `the machine runs the specialisation ${facts.specialisation}, which this deployment leaves; set \`specialisation: ${facts.specialisation}\` to keep it`,
      );
    }
    const system = { toplevel, running, generation };
    const status = settledBy(system, facts, operation);
    return status === undefined ? { kind: "ready", system: { machine, system } } : { kind: "settled", outcome: { status, error: undefined } };
  }

  /** Gets the new system into the store of the machine. */
  async #newSystem(source: SystemSource, connected: ConnectedMachine, signal: AbortSignal): Promise<Obtained> {
    const { target } = this.machine;
    if (source.evaluatesOnMachine) this.#known.configuration = configurationFor(target, connected.facts);
    this.#warn(connected.facts, source);
    this.ended();
    let machine = connected;
    let detail: string | undefined;
    const copy: SystemSteps["copy"] = async (send) => {
      const copied = await this.#tryAgain("copy", signal, async (tries) => {
        if (tries > 0) machine = await this.machine.connect(signal);
        return await send(machine);
      });
      this.#known.arrived = true;
      detail = renderCopied(copied);
    };
    const build: SystemSteps["build"] = async (work) => {
      this.ended(detail);
      detail = undefined;
      this.begin("build");
      const toplevel = await work(machine);
      this.#log.note(`built ${toplevel}`);
      return toplevel;
    };
    const steps = { copy, build };
    const toplevel = source.evaluatesOnMachine
      ? await source.obtain(steps, configurationFor(target, connected.facts), signal)
      : await source.obtain(steps, signal);
    return { machine, toplevel, generation: undefined, detail };
  }

  /** Activates a system, and keeps it or rolls back. Throws if it ends before that decision. */
  async activate(ready: ReadySystem, signal: AbortSignal): Promise<Outcome> {
    try {
      this.begin("activate");
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
    this.ended();
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
      begin: (phase) => this.begin(phase),
      ended: () => this.ended(),
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
  begin(phase: Phase): void {
    this.#known.phase = phase;
    this.#clock.begin(phase);
    this.#log.phase(phase);
  }

  /** The phase has ended well. */
  ended(detail?: string): void {
    this.#log.ended(detail);
  }

  #warn({ freeKibibytes, memoryKibibytes }: MachineFacts, source: SystemSource): void {
    const space = spaceWarning(freeKibibytes);
    if (space !== undefined) this.#log.warn(space, "store-space");
    const memory = source.evaluatesOnMachine ? memoryWarning(memoryKibibytes) : undefined;
    if (memory !== undefined) this.#log.warn(memory, "memory");
  }

  #older(machine: ConnectedMachine): Obtained {
    const { number, toplevel } = generationBefore(machine.facts);
    this.#log.note(`rolling back to generation ${number}: ${toplevel}`);
    return { machine, toplevel, generation: number, detail: undefined };
  }

  /**
   * Compares the running system with the built one, before the activation: a new system that breaks the network could not be queried,
   * and the changes are worth knowing even if the deployment fails.
   */
  async #compare(machine: ConnectedMachine, built: StorePath, signal: AbortSignal): Promise<void> {
    const { running } = machine.facts.state;
    if (!this.#settings.diff || running === undefined || running === built) return;
    const found = await machine.compare(running, built, signal);
    if (found === undefined) return;
    this.#known.compared = { running, difference: found.closure };
    // A reboot restarts all units.
    if (touchesUnits(this.#settings.operation)) this.#known.plan = found.units;
    for (const line of renderDifferenceLines(found.closure)) this.#log.note(line);
    for (const line of renderPlanLines(this.#known.plan)) this.#log.note(line);
  }

  async #tryAgain<T>(phase: "connect" | "copy", signal: AbortSignal, work: (tries: number) => Promise<T>): Promise<T> {
    this.begin(phase);
    return await retried(work, { retries: this.#settings.retries, note: (text) => this.#log.note(text), signal });
  }
}
