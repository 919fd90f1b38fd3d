import { setTimeout as sleep } from "node:timers/promises";

import { describeDifference } from "../domain/difference-text.js";
import { DeployError } from "../domain/errors.js";
import { showCopied } from "../domain/copy-progress.js";
import { referenceOnMachine } from "../domain/flake.js";
import { changesMachine } from "../domain/operation.js";
import type { Phase } from "../domain/phase.js";
import type { HostResult, Status } from "../domain/result.js";
import type { StorePath } from "../domain/store-path.js";
import { describePlan } from "../domain/plan-text.js";
import { withCompared } from "../domain/unit-plan.js";
import { spaceWarning } from "./free-space.js";
import { knownAtFirst, prospectOf, resultOf, settledBy, type HostKnowledge } from "./host-knowledge.js";
import { PhaseClock } from "./phase-clock.js";
import type { HostLog, Machine, MachineFacts } from "./ports.js";
import type { RunSettings } from "./run-settings.js";
import { activateSafely, type Outcome } from "./safe-activation.js";

/**
 * The work on one host: `prepare` up to a built system, then `activate`. Both throw for what goes wrong; `result` tells
 * what is known at any time.
 */
export class Host {
  readonly machine: Machine;
  readonly #settings: RunSettings;
  readonly #log: HostLog;
  readonly #known: HostKnowledge;
  readonly #clock = new PhaseClock();

  constructor(machine: Machine, settings: RunSettings, log: HostLog) {
    this.machine = machine;
    this.#settings = settings;
    this.#log = log;
    this.#known = knownAtFirst(machine.target);
  }

  get phase(): Phase {
    return this.#known.phase;
  }

  /** The flake has arrived on the machine. */
  get arrived(): boolean {
    return this.#known.arrived;
  }

  /** An activation has begun, and nobody knows how it ended. */
  get undecided(): boolean {
    return this.#known.activating;
  }

  /** What becomes of the machine when nobody looks after it any more. */
  get prospect(): string {
    return prospectOf(this.#known, this.#settings.safety);
  }

  /** Connects, sends the flake, builds the system, and tells what is new in it; or finds the one to go back to. */
  async prepare(signal: AbortSignal): Promise<void> {
    try {
      await this.#prepare(signal);
    } finally {
      this.#clock.pause();
    }
  }

  async #prepare(signal: AbortSignal): Promise<void> {
    const known = this.#known;
    const facts = await this.#tryAgain("connect", signal, async () => await this.machine.connect(signal));
    known.before = facts.state;
    if (this.#settings.flake === undefined) {
      known.toplevel = this.#olderSystem(facts);
      await this.#compare(facts.state.running, known.toplevel, signal);
      this.ended();
      return;
    }
    known.configuration = this.#configuration(facts);
    const scarce = spaceWarning(facts.freeKibibytes);
    if (scarce !== undefined) this.#log.warn(scarce);
    this.ended();
    const flake = await this.#settings.flake;
    const copied = await this.#tryAgain("copy", signal, async () => await this.machine.receive(flake, signal));
    known.arrived = true;
    this.ended(showCopied(copied));
    known.rebuild = { reference: referenceOnMachine(flake, facts.nix), configuration: known.configuration };
    this.begin("build");
    known.toplevel = await this.machine.build(known.rebuild, signal);
    this.#log.note(`built ${known.toplevel}`);
    await this.#compare(facts.state.running, known.toplevel, signal);
    this.ended();
  }

  /** Tells whether there is anything left to do after the build, and the status when there is not. */
  settled(): Status | undefined {
    return settledBy(this.#known, this.#settings.operation);
  }

  /** Activates the built system, and decides for it or for the old one. Throws what ends it before there was a decision. */
  async activate(signal: AbortSignal): Promise<Outcome> {
    try {
      return await this.#activate(signal);
    } finally {
      this.#clock.pause();
    }
  }

  async #activate(signal: AbortSignal): Promise<Outcome> {
    const known = this.#known;
    const { operation, safety } = this.#settings;
    if (known.toplevel === undefined) throw new Error("activated before it was built");
    this.begin("activate");
    if (!changesMachine(operation) && known.rebuild !== undefined) {
      const end = await this.machine.rehearse(known.rebuild, signal);
      known.exitCode = end.exitCode;
      known.plan = end.plan === undefined ? known.plan : withCompared(end.plan, known.plan);
      if (end.failure !== undefined) throw new DeployError({ phase: "activate", ...end.failure, lines: end.lines, exitCode: end.exitCode });
      this.ended();
      return { status: "planned", error: undefined };
    }
    const { machine } = this;
    const { toplevel, rebuild } = known;
    const outcome = await activateSafely({
      machine,
      operation,
      rebuild,
      toplevel,
      safety,
      known,
      signal,
      log: this.#log,
      begin: (phase) => this.begin(phase),
      ended: () => this.ended(),
      onArmed: () => (known.activating = true),
    });
    known.activating = false;
    return outcome;
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

  #olderSystem({ olderSystem, state }: MachineFacts): StorePath {
    if (olderSystem !== undefined) {
      this.#log.note(`going back to ${olderSystem}`);
      return olderSystem;
    }
    throw new DeployError({
      phase: "connect",
      reason: `there is no generation before ${state.generation === undefined ? "the running system" : `generation ${state.generation}`} to go back to`,
      hint: "`nix-env --profile /nix/var/nix/profiles/system --list-generations` on the machine lists them",
    });
  }

  /**
   * Compares what runs with what was built. Before the activation: a new system that breaks the network could not be asked any
   * more, and what a deployment would have brought is worth knowing also where it failed.
   */
  async #compare(running: StorePath | undefined, built: StorePath, signal: AbortSignal): Promise<void> {
    if (!this.#settings.diff || running === undefined || running === built) return;
    const found = await this.machine.compare(running, built, signal);
    if (found === undefined) return;
    this.#known.compared = { running, difference: found.closure };
    // A reboot starts everything anew.
    if (this.#settings.operation !== "boot") this.#known.plan = found.units;
    for (const line of describeDifference(found.closure)) this.#log.note(line);
    for (const line of describePlan(this.#known.plan)) this.#log.note(line);
  }

  #configuration({ hostname }: MachineFacts): string {
    const wanted = this.machine.target.configuration ?? hostname;
    if (/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(wanted) || this.machine.target.configuration !== undefined) return wanted;
    throw new DeployError({
      phase: "connect",
      reason: `the machine's own hostname (${JSON.stringify(hostname)}) names no configuration`,
      hint: "Write the configuration behind the target: host#configuration",
    });
  }

  /** Works on a phase, again after failures of the network: 1, 2, 4, … seconds later. */
  async #tryAgain<T>(phase: "connect" | "copy", signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    this.begin(phase);
    for (let tries = 0; ; tries += 1) {
      try {
        if (phase === "copy" && tries > 0) await this.machine.connect(signal);
        return await work();
      } catch (error) {
        if (!(error instanceof DeployError) || !error.unreachable || tries >= this.#settings.retries) throw error;
        const seconds = 2 ** tries;
        this.#log.note(`${error.reason}; trying again in ${seconds} s (${tries + 1} of ${this.#settings.retries})`);
        await sleep(seconds * 1000, undefined, { signal });
      }
    }
  }
}
