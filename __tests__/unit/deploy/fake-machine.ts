import type { RunSettings, Safety, Staging } from "../../../src/deploy/run-settings.js";
import type {
  Activation,
  ActivationEnd,
  HostLog,
  Machine,
  MachineFacts,
  Reached,
  Rebuild,
  RollbackEnd,
  RunLog,
  SystemDifference,
  SystemState,
} from "../../../src/deploy/ports.js";
import { parseBatches } from "../../../src/domain/batches.js";
import type { CopyProgress } from "../../../src/domain/copy-progress.js";
import { changesRunningSystem, changesSystemProfile } from "../../../src/domain/operation.js";
import type { HostResult } from "../../../src/domain/result.js";
import type { StorePath } from "../../../src/domain/store-path.js";
import type { Target } from "../../../src/domain/target.js";
import { makeSentFlake, makeStorePath, makeTarget } from "../domain/make.js";

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
  /** What was asked of the machine, in its order. */
  readonly calls: string[];
  state = makeState();
  olderSystem: StorePath | undefined;
  hostname = "own-hostname";
  identity: string | undefined;
  toplevel = newSystem;
  rebuild: Rebuild | undefined;
  trouble: { connect?: Trouble; receive?: Trouble; build?: Trouble; activate?: Trouble } = {};
  /** How nixos-rebuild ends, and the state in which it leaves the machine where that is not what the operation says. */
  end: Partial<ActivationEnd> = {};
  /** What the machine answers in place of its state when it is reached again, and when it is told to keep the system. */
  reached: "late" | "restarted" | undefined;
  kept: "late" | "restarted" | undefined;
  complaint: string | undefined;
  difference: SystemDifference | undefined;
  /** How the way back ends. */
  back: Partial<RollbackEnd> = {};
  #before = this.state;

  constructor(target: Partial<Target> = {}, calls: string[] = []) {
    this.target = makeTarget(target);
    this.calls = calls;
  }

  async connect(signal: AbortSignal): Promise<MachineFacts> {
    await this.#enter("connect", signal);
    const { hostname, state, olderSystem, identity } = this;
    return { hostname, nix: { kind: "nix", major: 2, minor: 34 }, freeKibibytes: undefined, memoryKibibytes: undefined, state, olderSystem, identity };
  }

  async receive(_: unknown, signal: AbortSignal): Promise<CopyProgress> {
    await this.#enter("receive", signal);
    return { paths: 1, expectedPaths: 1, bytes: undefined };
  }

  async build(rebuild: Rebuild, signal: AbortSignal): Promise<StorePath> {
    this.rebuild = rebuild;
    await this.#enter("build", signal);
    return this.toplevel;
  }

  async rehearse(_: Rebuild, signal: AbortSignal): Promise<Omit<ActivationEnd, "before">> {
    await this.#enter("activate", signal);
    return { exitCode: 0, failure: undefined, lines: [], after: this.state, plan: undefined, ...this.end };
  }

  async compare(before: StorePath, after: StorePath): Promise<SystemDifference | undefined> {
    return await this.#answer(`compare ${before} ${after}`, this.difference);
  }

  async activate({ operation, onArmed }: Activation, signal: AbortSignal): Promise<ActivationEnd> {
    const { toplevel: running, state } = this;
    this.#before = state;
    onArmed();
    await this.#enter("activate", signal);
    if (changesSystemProfile(operation)) this.state = { ...this.state, profile: running, generation: (state.generation ?? 0) + 1 };
    if (changesRunningSystem(operation)) this.state = { ...this.state, running };
    this.state = this.end.after ?? this.state;
    return { exitCode: 0, failure: undefined, lines: [], before: state, after: this.state, plan: undefined, ...this.end };
  }

  async reach(): Promise<Reached> {
    return await this.#answer<Reached>("reach", this.reached ?? this.state);
  }

  async checkHealth(): Promise<string | undefined> {
    return await this.#answer("health", this.complaint);
  }

  async keep(): Promise<Reached> {
    return await this.#answer<Reached>("keep", this.kept ?? this.state);
  }

  async rollBack(): Promise<RollbackEnd> {
    this.state = this.#before;
    return await this.#answer("roll back", { exitCode: 0, lines: [], state: this.state, ...this.back });
  }

  async journal(units: readonly string[]): Promise<string[]> {
    return await this.#answer(
      "journal",
      units.map((unit) => `${unit}: no luck`),
    );
  }

  async #answer<T>(call: string, answer: T): Promise<T> {
    this.calls.push(`${this.target.name} ${call}`);
    return await Promise.resolve(answer);
  }

  async release(): Promise<void> {
    this.calls.push(`${this.target.name} release`);
    await Promise.resolve();
  }

  async #enter(phase: "connect" | "receive" | "build" | "activate", signal: AbortSignal): Promise<void> {
    this.calls.push(`${this.target.name} ${phase}`);
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
    return {
      phase: (phase) => add(`== ${phase}`),
      ended: (detail) => add(`ended${detail === undefined ? "" : ` (${detail})`}`),
      copying: () => undefined,
      output: add,
      note: add,
      warn: add,
    };
  }

  begin(hosts: number): void {
    this.lines.push(`${hosts} hosts`);
  }

  batch(number: number, batches: number, names: readonly string[]): void {
    this.lines.push(`batch ${number} of ${batches}: ${names.join(", ")}`);
  }

  end(): void {
    this.lines.push("end");
  }

  done(result: HostResult): void {
    this.results.push(result);
  }
}

export function makeStaging(overrides: Partial<Staging> = {}): Staging {
  return { batches: parseBatches("100%"), maxFailures: { kind: "count", count: 0 }, onUnreachable: "fail", ...overrides };
}

export function makeSafety(overrides: Partial<Safety> = {}): Safety {
  return { rollback: true, limits: { activation: 600, confirm: 30, healthCheck: 60, lock: 300 }, healthCheck: undefined, unitFailures: "fail", ...overrides };
}

export function makeRunSettings(overrides: Partial<RunSettings> = {}): RunSettings {
  const flake = Promise.resolve(makeSentFlake());
  return {
    operation: "switch",
    flake,
    maxParallel: 10,
    timeout: 0,
    retries: 0,
    safety: makeSafety(),
    staging: makeStaging(),
    unusable: [],
    diff: false,
    signal: new AbortController().signal,
    ...overrides,
  };
}
