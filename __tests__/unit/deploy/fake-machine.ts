import type { RunSettings, Safety, Staging } from "../../../src/deploy/run-settings.js";
import type {
  Activation,
  ActivationEnd,
  ArmedMachine,
  ConnectedMachine,
  Download,
  Generation,
  HostLog,
  LastStep,
  Machine,
  Reached,
  Rebuild,
  RollbackEnd,
  RunLog,
  SentPaths,
  SystemDifference,
  SystemState,
} from "../../../src/deploy/ports.js";
import { rebuiltThere } from "../../../src/deploy/system-source.js";
import { parseBatches } from "../../../src/domain/batches.js";
import { DeployError } from "../../../src/domain/errors.js";
import type { SentFlake } from "../../../src/domain/flake.js";
import { changesRunningSystem, changesSystemProfile, protectedWay } from "../../../src/domain/operation.js";
import type { HostResult } from "../../../src/domain/result.js";
import type { StorePath } from "../../../src/domain/store-path.js";
import type { Target } from "../../../src/domain/target.js";
import { makeSentFlake, makeStorePath, makeTarget } from "../domain/make.js";

export const oldSystem = makeStorePath("nixos-system-old");
export const newSystem = makeStorePath("nixos-system-new");

export function makeState(overrides: Partial<SystemState> = {}): SystemState {
  const systems = { running: oldSystem, booted: oldSystem, profile: oldSystem, generation: 6 };
  return { ...systems, bootId: "b", failedUnits: [], restartingUnits: [], rebootNeeded: false, ...overrides };
}

/** What a fake machine does in a phase before it does what it should: nothing, or throw. */
type Trouble = (signal: AbortSignal) => Promise<void> | void;

/** A machine without a network: it has a state, which an activation changes as switch-to-configuration would. */
export class FakeMachine implements Machine {
  readonly target: Target;
  /** What was asked of the machine, in its order. */
  readonly calls: string[];
  state = makeState();
  olderGeneration: Generation | undefined;
  hostname = "own-hostname";
  identity: string | undefined;
  toplevel = newSystem;
  /** The specialisation that runs, and those of the system that is built. */
  specialisation: string | undefined;
  specialisations: Readonly<Record<string, StorePath>> = {};
  rebuild: Rebuild | undefined;
  /** Configurations that the flake does not have. */
  unknownConfigurations: readonly string[] = ["unknown"];
  /** The flakes that it was sent. */
  readonly #has = new Set<StorePath>();
  sentPaths: SentPaths | undefined;
  realised: StorePath | undefined;
  /** What its own binary caches have, and whether that is a system. */
  downloads: readonly StorePath[] = [];
  isSystem = true;
  /** What was activated last. */
  activation: Activation | undefined;
  trouble: { connect?: Trouble; copyFlake?: Trouble; copyPaths?: Trouble; realise?: Trouble; build?: Trouble; arm?: Trouble; activate?: Trouble } = {};
  /** The flake that was known when the machine was connected. */
  next: SentFlake | undefined;
  /** The system that the machine says to have run when it was armed, where another run has changed it. */
  before: SystemState | undefined;
  /** How switch-to-configuration ends, and the state in which it leaves the machine where that is not what the operation says. */
  end: Partial<ActivationEnd> = {};
  /** What the machine answers in place of its state when it is reached again, when it has settled, and when it is told to keep the system. */
  reached: "late" | "slow-login" | "restarted" | undefined;
  settled: Reached | undefined;
  /** Units that have failed when it is to confirm at once. */
  lateUnits: readonly string[] = [];
  kept: "late" | "restarted" | LastStep | undefined;
  unfinished: string | undefined;
  scarceBoot: ArmedMachine["scarceBoot"];
  /** What it runs and boots after a restart, where that is not what booted before. */
  restarted: Partial<SystemState> = {};
  /** Takes whether it holds a session, whenever that may change. */
  onSession: (isOpen: boolean) => void = () => undefined;
  complaint: string | undefined;
  difference: SystemDifference | undefined;
  /** How the rollback ends. */
  back: Partial<RollbackEnd> | "restarted" = {};

  constructor(target: Partial<Target> = {}, calls: string[] = []) {
    this.target = makeTarget(target);
    this.calls = calls;
  }

  async connect(signal: AbortSignal, next?: () => SentFlake | undefined): Promise<ConnectedMachine> {
    this.next = next?.();
    await this.#enter("connect", signal);
    this.onSession(true);
    const { state, hostname, olderGeneration, specialisation, identity, unfinished } = this;
    return {
      facts: {
        hostname,
        nix: "nix (Nix) 2.34.8",
        freeKibibytes: undefined,
        memoryKibibytes: undefined,
        state,
        olderGeneration,
        specialisation,
        identity,
        unfinished,
      },
      copyFlake: async ({ outer }, own) => {
        await this.#enter("copyFlake", own);
        const paths = this.#has.has(outer) ? 0 : 1;
        this.#has.add(outer);
        return { paths, expectedPaths: paths, bytes: undefined };
      },
      copyPaths: async (paths, own) => {
        this.sentPaths = paths;
        await this.#enter("copyPaths", own);
        return { paths: 2, expectedPaths: 2, bytes: undefined };
      },
      download: async (path) =>
        await this.#answer<Download>(
          "download",
          this.downloads.includes(path)
            ? { kind: "downloaded", copied: { paths: 3, expectedPaths: 3, bytes: undefined } }
            : { kind: "unavailable", lines: [`error: path '${path}' does not exist`] },
        ),
      requireSystem: async (path) => {
        if (!this.isSystem) throw new DeployError({ phase: "copy", reason: `${path} is no system` });
        await this.#answer("require system", undefined);
      },
      realise: async (derivation, _, own) => {
        this.realised = derivation;
        await this.#enter("realise", own);
        return this.toplevel;
      },
      build: async (rebuild, own) => {
        this.rebuild = rebuild;
        await this.#enter("build", own);
        if (this.unknownConfigurations.includes(rebuild.configuration)) throw new DeployError({ phase: "build", reason: "it does not exist" });
        return this.toplevel;
      },
      findSpecialisation: async (_, name) => {
        const system = this.specialisations[name];
        if (system === undefined) throw new DeployError({ phase: "build", reason: `there is no ${name}` });
        return await this.#answer(`specialisation ${name}`, system);
      },
      compare: async (before, after, withUnits) =>
        await this.#answer(
          `compare ${withUnits ? "with units " : ""}${before} ${after}`,
          this.difference && { ...this.difference, units: withUnits ? this.difference.units : undefined },
        ),
      dryActivate: async (_, own) => {
        await this.#enter("activate", own);
        return { exitCode: 0, end: "ended", causes: [], touched: true, lines: [], after: this.state, plan: undefined, ...this.end };
      },
      rest: () => this.onSession(false),
      arm: async (activation, own) => {
        this.onSession(true);
        await this.trouble.arm?.(own);
        this.activation = activation;
        return this.#armed(activation);
      },
    };
  }

  #armed({ operation, system, guarded }: Activation): ArmedMachine {
    const { state } = this;
    const later = guarded && protectedWay(operation) === "switch";
    const setProfile = (): void => {
      this.state = { ...this.state, profile: system.toplevel, generation: system.generation ?? (state.generation ?? 0) + 1 };
    };
    return {
      scarceBoot: this.scarceBoot,
      before: this.before ?? state,
      activate: async (signal) => {
        await this.#enter("activate", signal);
        if (changesSystemProfile(operation) && !later) setProfile();
        if (changesRunningSystem(operation)) this.state = { ...this.state, running: system.running };
        this.state = this.end.after ?? this.state;
        return { exitCode: 0, end: "ended", causes: [], touched: true, lines: [], after: this.state, plan: undefined, ...this.end };
      },
      reach: async () => await this.#answer<Reached>("reach", this.reached ?? this.state),
      confirm: async (failedUnits, asked) => {
        await this.#answer("confirm", undefined);
        if (this.lateUnits.length > 0) this.state = { ...this.state, failedUnits: this.lateUnits };
        if (this.reached !== undefined) return this.reached;
        asked();
        const { failedUnits: failed, running } = this.state;
        const known = [...(this.before ?? state).failedUnits, ...(this.before ?? state).restartingUnits, ...failedUnits];
        const isOther = guarded && changesRunningSystem(operation) && running !== system.running;
        if (isOther || failed.some((unit) => !known.includes(unit))) return { kind: "undecided", state: this.state };
        if (later && this.kept === undefined) setProfile();
        return this.kept ?? { kind: "done", state: this.state };
      },
      settle: async () => await this.#answer<Reached>("settle", this.settled ?? this.state),
      checkHealth: async () => await this.#answer("health", this.complaint),
      keep: async () => {
        if (later && this.kept === undefined) setProfile();
        return await this.#answer("keep", this.kept ?? { kind: "done", state: this.state });
      },
      rollBack: async () => {
        this.state = state;
        const end = this.back === "restarted" ? this.back : { exitCode: 0, foreign: false, causes: [], lines: [], state, ...this.back };
        return await this.#answer("roll back", end);
      },
      drop: async () => await this.#answer<Reached>("drop", this.state),
      afterRestart: async () => {
        this.state = { ...state, ...this.restarted, bootId: "b2" };
        return await this.#answer("after restart", this.state);
      },
      journal: async (units) =>
        await this.#answer(
          "journal",
          units.map((unit) => `${unit}: no luck`),
        ),
    };
  }

  async #answer<T>(call: string, answer: T): Promise<T> {
    this.calls.push(`${this.target.name} ${call}`);
    return await Promise.resolve(answer);
  }

  async release(activation: "undecided" | "decided"): Promise<void> {
    this.calls.push(`${this.target.name} release${activation === "undecided" ? " undecided" : ""}`);
    this.onSession(false);
    await Promise.resolve();
  }

  async #enter(phase: "connect" | "copyFlake" | "copyPaths" | "realise" | "build" | "activate", signal: AbortSignal): Promise<void> {
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
  const limits = { activation: 600, confirm: 30, settle: 5, healthCheck: 60, lock: 300 };
  return { rollback: true, limits, healthCheck: undefined, unitFailures: "fail", ...overrides };
}

/** With `flake` in place of `systemOf`, every machine builds that by itself; `undefined` is for an operation that takes what is there. */
export type SettingOverrides = Partial<RunSettings> & { readonly flake?: Promise<SentFlake> | undefined };

export function makeRunSettings(overrides: SettingOverrides = {}): RunSettings {
  const { flake = "flake" in overrides ? undefined : Promise.resolve(makeSentFlake()), ...settings } = overrides;
  return {
    operation: "switch",
    systemOf: flake === undefined ? undefined : () => rebuiltThere(flake),
    maxParallel: 10,
    timeout: 0,
    retries: 0,
    safety: makeSafety(),
    variant: { specialisation: undefined, installBootLoader: false },
    staging: makeStaging(),
    unusable: [],
    diff: false,
    signal: new AbortController().signal,
    ...settings,
  };
}
