import { setTimeout as sleep } from "node:timers/promises";

import { DeployError } from "../domain/errors.js";
import { referenceOnMachine } from "../domain/flake.js";
import { changesMachine } from "../domain/operation.js";
import type { Phase } from "../domain/phase.js";
import type { HostResult, Status } from "../domain/result.js";
import type { StorePath } from "../domain/store-path.js";
import { displayTarget } from "../domain/target.js";
import type { RunSettings } from "./run-settings.js";
import { spaceWarning } from "./free-space.js";
import type { HostLog, Machine, MachineFacts, Rebuild } from "./ports.js";
import { activateSafely, type ActivationKnowledge, type Outcome } from "./safe-activation.js";

/** What is known of a host so far. */
type Knowledge = ActivationKnowledge & {
  phase: Phase;
  configuration: string | undefined;
  rebuild: Rebuild | undefined;
  toplevel: StorePath | undefined;
  arrived: boolean;
  activating: boolean;
};

/**
 * The work on one host: `prepare` up to a built system, then `activate`. Both throw for what goes wrong; `result` tells
 * what is known at any time.
 */
export class Host {
  readonly machine: Machine;
  readonly #settings: RunSettings;
  readonly #log: HostLog;
  readonly #known: Knowledge;

  constructor(machine: Machine, settings: RunSettings, log: HostLog) {
    this.machine = machine;
    this.#settings = settings;
    this.#log = log;
    const { configuration } = machine.target;
    this.#known = {
      phase: "connect",
      configuration,
      rebuild: undefined,
      before: undefined,
      after: undefined,
      newlyFailedUnits: [],
      toplevel: undefined,
      exitCode: undefined,
      arrived: false,
      activating: false,
    };
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
    const { before, activating, toplevel } = this.#known;
    if (!activating) return "Nothing has changed on the machine";
    const { safety } = this.#settings;
    const was = `before, it ran ${before?.running ?? "no system of the store"}; the new system is ${toplevel ?? "not known"}`;
    if (!safety.rollback) return `The activation goes on on the machine, and rollback is false: it stays as it is (${was})`;
    const { activation, confirm, healthCheck } = safety.limits;
    if (this.#known.phase !== "activate") return `Without confirmation the machine goes back by itself, within ${confirm + healthCheck} s (${was})`;
    return `Without confirmation the machine goes back by itself, ${confirm} s after the activation and ${activation} s after its start at the latest (${was})`;
  }

  /** Connects, sends the flake and builds the system. */
  async prepare(signal: AbortSignal): Promise<void> {
    const known = this.#known;
    const facts = await this.#tryAgain("connect", signal, async () => await this.machine.connect(signal));
    known.before = facts.state;
    known.configuration = this.#configuration(facts);
    const scarce = spaceWarning(facts.freeKibibytes);
    if (scarce !== undefined) this.#log.warn(scarce);
    const flake = await this.#settings.flake;
    await this.#tryAgain("copy", signal, async () => {
      await this.machine.receive(flake, signal);
    });
    known.arrived = true;
    known.rebuild = { reference: referenceOnMachine(flake, facts.nix), configuration: known.configuration };
    this.begin("build");
    known.toplevel = await this.machine.build(known.rebuild, signal);
    this.#log.note(`built ${known.toplevel}`);
  }

  /** Tells whether there is anything left to do after the build, and the status when there is not. */
  settled(): Status | undefined {
    const { before, toplevel } = this.#known;
    const { operation } = this.#settings;
    if (operation === "build") return "planned";
    if (!changesMachine(operation) || before === undefined || toplevel === undefined) return undefined;
    // The boot loader may lag behind the profile after a run that failed, so that a system counts as there only when it also runs.
    const boots = operation === "test" || before.profile === toplevel;
    return boots && before.running === toplevel ? "unchanged" : undefined;
  }

  /** Activates the built system, and decides for it or for the old one. Throws what ends it before there was a decision. */
  async activate(signal: AbortSignal): Promise<Outcome> {
    const known = this.#known;
    if (known.rebuild === undefined || known.toplevel === undefined) throw new Error("activated before it was built");
    this.begin("activate");
    const { operation, safety } = this.#settings;
    if (!changesMachine(operation)) {
      const end = await this.machine.rehearse(known.rebuild, signal);
      known.exitCode = end.exitCode;
      if (end.failure !== undefined) throw new DeployError({ phase: "activate", ...end.failure, lines: end.lines, exitCode: end.exitCode });
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
      onArmed: () => (known.activating = true),
    });
    known.activating = false;
    return outcome;
  }

  /** The host's result with what is known now. */
  result(status: Status, seconds: number, error: Error | undefined): HostResult {
    const { phase, configuration, before, after, newlyFailedUnits, toplevel, exitCode } = this.#known;
    const now = after ?? before;
    const changed = after !== undefined && before !== undefined && (after.running !== before.running || after.profile !== before.profile);
    const code = error instanceof DeployError ? error.exitCode : exitCode;
    return {
      name: this.machine.target.name,
      target: displayTarget(this.machine.target),
      configuration,
      status,
      phase: error instanceof DeployError ? error.phase : phase,
      systemPath: toplevel,
      previousSystemPath: before?.running ?? before?.profile,
      generation: now?.generation,
      changed,
      exitCode: code ?? (error === undefined ? 0 : undefined),
      failedUnits: newlyFailedUnits,
      seconds,
      error: error?.message,
    };
  }

  /** A phase begins. */
  begin(phase: Phase): void {
    this.#known.phase = phase;
    this.#log.phase(phase);
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
