import { renderCopied } from "../domain/copy-progress.js";
import { renderDifferenceLines } from "../domain/difference-text.js";
import { changesRunningSystem, plansUnits } from "../domain/operation.js";
import type { Phase } from "../domain/phase.js";
import { renderPlanLines } from "../domain/plan-text.js";
import type { StorePath } from "../domain/store-path.js";
import { memoryWarning } from "./free-memory.js";
import { spaceWarning } from "./free-space.js";
import type { Outcome } from "./guarded.js";
import { settledBy, type HostKnowledge } from "./host-knowledge.js";
import { requireKnownProfile } from "./known-profile.js";
import type { ActivatableSystem, ConnectedMachine, HostLog, Machine, MachineFacts } from "./ports.js";
import { retried } from "./retry.js";
import type { RunSettings } from "./run-settings.js";
import type { MachinesOfRun } from "./same-machine.js";
import type { SystemSource, SystemSteps } from "./system-source.js";
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

/** The host that is prepared. */
type Site = {
  readonly machine: Machine;
  readonly settings: RunSettings;
  readonly log: HostLog;
  /** Gets what is found out. */
  readonly known: HostKnowledge;
  readonly machines: MachinesOfRun;
  /** A phase begins. */
  readonly begin: (phase: Phase) => void;
  /** The phase has ended well. */
  readonly ended: (detail?: string) => void;
};

/** The work on one host up to a system that can be activated. */
export class Preparation {
  readonly #site: Site;

  constructor(site: Site) {
    this.#site = site;
  }

  /** Connects, copies the flake, builds the system and compares it with the running one; or finds the system to roll back to. */
  async run(signal: AbortSignal): Promise<Prepared> {
    const { known, settings, log, machines } = this.#site;
    const { operation, variant, systemOf } = settings;
    const { target } = this.#site.machine;
    const source = systemOf?.(target);
    const next = source?.evaluatesOnMachine === true ? source.next : undefined;
    const connected = await this.#tryAgain("connect", signal, async () => await this.#site.machine.connect(signal, next));
    const { facts } = connected;
    known.before = facts.state;
    if (facts.unfinished !== undefined) log.warn(`${facts.unfinished}. The next activation finishes or undoes it first`);
    machines.claim(target, facts.identity);
    const obtained = source === undefined ? this.#older(connected) : await this.#newSystem(source, connected, signal);
    const { machine, toplevel, generation, detail } = obtained;
    known.toplevel = toplevel;
    await requireKnownProfile(target, facts, { toplevel, phase: known.phase }, settings, signal);
    const { specialisation } = variant;
    const running = specialisation === undefined ? toplevel : await machine.findSpecialisation(toplevel, specialisation, signal);
    await this.#compare(machine, running, signal);
    this.#site.ended(detail);
    if (changesRunningSystem(operation) && facts.specialisation !== undefined && facts.specialisation !== specialisation) {
      log.note(
        `the machine runs the specialisation ${facts.specialisation}, which this deployment leaves; set \`specialisation: ${facts.specialisation}\` to keep it`,
      );
    }
    const system = { toplevel, running, generation };
    const status = settledBy(system, facts, operation);
    return status === undefined ? { kind: "ready", system: { machine, system } } : { kind: "settled", outcome: { status, error: undefined } };
  }

  /** Gets the new system into the store of the machine. */
  async #newSystem(source: SystemSource, connected: ConnectedMachine, signal: AbortSignal): Promise<Obtained> {
    const { target } = this.#site.machine;
    if (source.evaluatesOnMachine) this.#site.known.configuration = configurationFor(target, connected.facts);
    this.#warn(connected.facts, source);
    this.#site.ended();
    let machine = connected;
    let detail: string | undefined;
    const copy: SystemSteps["copy"] = async (send) => {
      const copied = await this.#tryAgain("copy", signal, async (tries) => {
        if (tries > 0) machine = await this.#site.machine.connect(signal);
        return await send(machine);
      });
      this.#site.known.arrived = true;
      detail = renderCopied(copied);
    };
    const build: SystemSteps["build"] = async (work) => {
      this.#site.ended(detail);
      detail = undefined;
      this.#site.begin("build");
      const toplevel = await work(machine);
      this.#site.log.note(`built ${toplevel}`);
      return toplevel;
    };
    const steps = { copy, build };
    const toplevel = source.evaluatesOnMachine
      ? await source.obtain(steps, configurationFor(target, connected.facts), signal)
      : await source.obtain(steps, signal);
    return { machine, toplevel, generation: undefined, detail };
  }

  #older(machine: ConnectedMachine): Obtained {
    const { number, toplevel } = generationBefore(machine.facts);
    this.#site.log.note(`rolling back to generation ${number}: ${toplevel}`);
    return { machine, toplevel, generation: number, detail: undefined };
  }

  /**
   * Compares the running system with the built one, before the activation: a new system that breaks the network could not be queried,
   * and the changes are worth knowing even if the deployment fails.
   */
  async #compare(machine: ConnectedMachine, built: StorePath, signal: AbortSignal): Promise<void> {
    const { running } = machine.facts.state;
    if (!this.#site.settings.diff || running === undefined || running === built) return;
    const found = await machine.compare(running, built, plansUnits(this.#site.settings.operation), signal);
    if (found === undefined) return;
    this.#site.known.compared = { running, difference: found.closure };
    this.#site.known.plan = found.units;
    for (const line of renderDifferenceLines(found.closure)) this.#site.log.note(line);
    for (const line of renderPlanLines(this.#site.known.plan)) this.#site.log.note(line);
  }

  #warn({ freeKibibytes, memoryKibibytes }: MachineFacts, source: SystemSource): void {
    const space = spaceWarning(freeKibibytes);
    if (space !== undefined) this.#site.log.warn(space, "store-space");
    const memory = source.evaluatesOnMachine ? memoryWarning(memoryKibibytes) : undefined;
    if (memory !== undefined) this.#site.log.warn(memory, "memory");
  }

  async #tryAgain<T>(phase: "connect" | "copy", signal: AbortSignal, work: (tries: number) => Promise<T>): Promise<T> {
    this.#site.begin(phase);
    return await retried(work, { retries: this.#site.settings.retries, note: (text) => this.#site.log.note(text), signal });
  }
}
