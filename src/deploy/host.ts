import { setTimeout as sleep } from "node:timers/promises";

import { DeployError } from "../domain/errors.js";
import { referenceOnMachine } from "../domain/flake.js";
import { changesMachine, changesRunningSystem, changesSystemProfile, type Operation } from "../domain/operation.js";
import type { Phase } from "../domain/phase.js";
import type { HostResult, Status } from "../domain/result.js";
import type { StorePath } from "../domain/store-path.js";
import { displayTarget } from "../domain/target.js";
import type { Plan } from "./plan.js";
import type { ActivationEnd, HostLog, Machine, MachineFacts, Rebuild, SystemState } from "./ports.js";

/** What is known of a host so far. */
type Knowledge = {
  phase: Phase;
  configuration: string | undefined;
  rebuild: Rebuild | undefined;
  before: SystemState | undefined;
  after: SystemState | undefined;
  toplevel: StorePath | undefined;
  exitCode: number | undefined;
  arrived: boolean;
};

/**
 * The work on one host: `prepare` up to a built system, then `activate`. Both throw for what goes wrong; `result` tells
 * what is known at any time.
 */
export class Host {
  readonly machine: Machine;
  readonly #plan: Plan;
  readonly #log: HostLog;
  readonly #known: Knowledge;

  constructor(machine: Machine, plan: Plan, log: HostLog) {
    this.machine = machine;
    this.#plan = plan;
    this.#log = log;
    const { configuration } = machine.target;
    this.#known = {
      phase: "connect",
      configuration,
      rebuild: undefined,
      before: undefined,
      after: undefined,
      toplevel: undefined,
      exitCode: undefined,
      arrived: false,
    };
  }

  get phase(): Phase {
    return this.#known.phase;
  }

  /** The flake has arrived on the machine. */
  get arrived(): boolean {
    return this.#known.arrived;
  }

  /** Connects, sends the flake and builds the system. */
  async prepare(signal: AbortSignal): Promise<void> {
    const known = this.#known;
    const facts = await this.#tryAgain("connect", signal, async () => await this.machine.connect(signal));
    known.before = facts.state;
    known.configuration = this.#configuration(facts);
    const flake = await this.#plan.flake;
    await this.#tryAgain("copy", signal, async () => {
      await this.machine.receive(flake, signal);
    });
    known.arrived = true;
    known.rebuild = { reference: referenceOnMachine(flake, facts.nix), configuration: known.configuration };
    this.#begin("build");
    known.toplevel = await this.machine.build(known.rebuild, signal);
    this.#log.note(`built ${known.toplevel}`);
  }

  /** Tells whether there is anything left to do after the build, and the status when there is not. */
  settled(): Status | undefined {
    const { before, toplevel } = this.#known;
    const { operation } = this.#plan;
    if (operation === "build") return "planned";
    if (!changesMachine(operation) || before === undefined || toplevel === undefined) return undefined;
    // The boot loader may lag behind the profile after a run that failed, so that a system counts as there only when it also runs.
    const boots = operation === "test" || before.profile === toplevel;
    return boots && before.running === toplevel ? "unchanged" : undefined;
  }

  /** Activates the built system. Returns the status; throws a `DeployError` when the machine is not as it was asked for. */
  async activate(signal: AbortSignal): Promise<Status> {
    const known = this.#known;
    const { operation } = this.#plan;
    if (known.rebuild === undefined || known.toplevel === undefined) throw new Error("activated before it was built");
    this.#begin("activate");
    const end = await this.machine.activate(operation, known.rebuild, signal);
    known.after = end.state;
    known.exitCode = end.exitCode;
    if (end.failure !== undefined) throw new DeployError({ phase: "activate", ...end.failure, lines: end.lines, exitCode: end.exitCode });
    if (!changesMachine(operation)) return "planned";
    const doubt = contradiction(operation, known.toplevel, end);
    if (doubt !== undefined)
      throw new DeployError({
        phase: "activate",
        reason: doubt,
        hint: "Has somebody else changed it in the meantime?",
        lines: end.lines,
        exitCode: end.exitCode,
      });
    if (end.state.rebootNeeded) this.#log.note("kernel, initrd or kernel modules differ from the booted ones: they take effect with a reboot");
    return "deployed";
  }

  /** The host's result with what is known now. */
  result(status: Status, seconds: number, error: Error | undefined): HostResult {
    const { phase, configuration, before, after, toplevel, exitCode } = this.#known;
    const now = after ?? before;
    const changed = after !== undefined && before !== undefined && (after.running !== before.running || after.profile !== before.profile);
    const code = error instanceof DeployError ? error.exitCode : exitCode;
    return {
      name: this.machine.target.name,
      target: displayTarget(this.machine.target),
      configuration,
      status,
      phase,
      systemPath: toplevel,
      previousSystemPath: before?.running ?? before?.profile,
      generation: now?.generation,
      changed,
      exitCode: code ?? (error === undefined ? 0 : undefined),
      failedUnits: now?.failedUnits ?? [],
      seconds,
      error: error?.message,
    };
  }

  #begin(phase: Phase): void {
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
    this.#begin(phase);
    for (let tries = 0; ; tries += 1) {
      try {
        if (phase === "copy" && tries > 0) await this.machine.connect(signal);
        return await work();
      } catch (error) {
        if (!(error instanceof DeployError) || !error.unreachable || tries >= this.#plan.retries) throw error;
        const seconds = 2 ** tries;
        this.#log.note(`${error.reason}; trying again in ${seconds} s (${tries + 1} of ${this.#plan.retries})`);
        await sleep(seconds * 1000, undefined, { signal });
      }
    }
  }
}

/** What the machine says of itself that does not go with an exit code of 0. */
function contradiction(operation: Operation, toplevel: StorePath, { state }: ActivationEnd): string | undefined {
  if (changesSystemProfile(operation) && state.profile !== toplevel)
    return `nixos-rebuild ended well, but the machine boots ${state.profile ?? "no system of the store"} and not ${toplevel}`;
  if (changesRunningSystem(operation) && state.running !== toplevel)
    return `nixos-rebuild ended well, but the machine runs ${state.running ?? "no system of the store"} and not ${toplevel}`;
  return undefined;
}
