import type { Plan } from "../../../src/deploy/plan.js";
import type { ActivationEnd, HostLog, Machine, MachineFacts, Rebuild, RunLog, SystemState } from "../../../src/deploy/ports.js";
import type { Operation } from "../../../src/domain/operation.js";
import type { HostResult } from "../../../src/domain/result.js";
import type { StorePath } from "../../../src/domain/store-path.js";
import type { Target } from "../../../src/domain/target.js";
import { makeFlake, makeStorePath, makeTarget } from "../domain/make.js";

export const oldSystem = makeStorePath("nixos-system-old");
export const newSystem = makeStorePath("nixos-system-new");

export function makeState(overrides: Partial<SystemState> = {}): SystemState {
  return { running: oldSystem, booted: oldSystem, profile: oldSystem, generation: 6, bootId: "b", failedUnits: [], rebootNeeded: false, ...overrides };
}

/** What a fake machine does in a phase before it does what it should: nothing, or throw. */
type Trouble = (signal: AbortSignal) => Promise<void> | void;

/** A machine without a network: it has a state, which an activation changes as nixos-rebuild would. */
export class FakeMachine implements Machine {
  readonly target: Target;
  readonly journal: string[];
  state = makeState();
  hostname = "own-hostname";
  toplevel = newSystem;
  rebuild: Rebuild | undefined;
  trouble: { connect?: Trouble; receive?: Trouble; build?: Trouble; activate?: Trouble } = {};
  /** How nixos-rebuild ends, and the state in which it leaves the machine where that is not what the operation says. */
  end: Partial<ActivationEnd> = {};

  constructor(target: Partial<Target> = {}, journal: string[] = []) {
    this.target = makeTarget(target);
    this.journal = journal;
  }

  async connect(signal: AbortSignal): Promise<MachineFacts> {
    await this.#enter("connect", signal);
    return { hostname: this.hostname, nix: { major: 2, minor: 34 }, freeKibibytes: undefined, state: this.state };
  }

  async receive(_: unknown, signal: AbortSignal): Promise<void> {
    await this.#enter("receive", signal);
  }

  async build(rebuild: Rebuild, signal: AbortSignal): Promise<StorePath> {
    this.rebuild = rebuild;
    await this.#enter("build", signal);
    return this.toplevel;
  }

  async activate(operation: Operation, _: Rebuild, signal: AbortSignal): Promise<ActivationEnd> {
    await this.#enter("activate", signal);
    const { toplevel: running, state } = this;
    if (operation === "switch" || operation === "boot") this.state = { ...this.state, profile: running, generation: (state.generation ?? 0) + 1 };
    if (operation === "switch" || operation === "test") this.state = { ...this.state, running };
    return { exitCode: 0, failure: undefined, lines: [], state: this.state, ...this.end };
  }

  async release(): Promise<void> {
    this.journal.push(`${this.target.name} release`);
    await Promise.resolve();
  }

  async #enter(phase: "connect" | "receive" | "build" | "activate", signal: AbortSignal): Promise<void> {
    this.journal.push(`${this.target.name} ${phase}`);
    await this.trouble[phase]?.(signal);
  }
}

/** A log that remembers. */
export class MemoryLog implements RunLog {
  readonly lines: string[] = [];
  readonly results: HostResult[] = [];

  host({ name }: Target): HostLog {
    const add = (text: string): void => {
      this.lines.push(`${name}: ${text}`);
    };
    return { phase: (phase) => add(`== ${phase}`), output: add, note: add, warn: add };
  }

  done(result: HostResult): void {
    this.results.push(result);
  }
}

export function makePlan(overrides: Partial<Plan> = {}): Plan {
  const flake = Promise.resolve(makeFlake());
  return { operation: "switch", flake, maxParallel: 10, timeout: 0, retries: 0, signal: new AbortController().signal, ...overrides };
}
