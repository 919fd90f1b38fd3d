import type { CopyProgress } from "../domain/copy-progress.js";
import { DeployError } from "../domain/errors.js";
import { installable } from "../domain/flake-reference.js";
import type { SentFlake } from "../domain/flake.js";
import { lastLines } from "../domain/lines.js";
import type { Phase } from "../domain/phase.js";
import type { StorePath } from "../domain/store-path.js";
import type {
  ActivatableSystem,
  Activation,
  ActivationEnd,
  ArmedMachine,
  ConnectedMachine,
  Download,
  HostLog,
  MachineFacts,
  Rebuild,
  SentPaths,
  SystemDifference,
} from "../deploy/ports.js";
import type { Connection, FormerConnection } from "../ssh/connection.js";
import type { AccessSettings } from "./elevation.js";
import { ArmedNixosMachine } from "./armed-machine.js";
import { GuardedActivation } from "./activation.js";
import { runBuild, type BuildQuestions } from "./build-job.js";
import { compareSystems, noteIncomparable } from "./compare.js";
import type { BuildDifference } from "./difference.js";
import { type Entry } from "./probe.js";
import { downloadThere, requireSystem } from "./given-system.js";
import type { CallScript } from "./job.js";
import { Lease, leaseCall, prepareCall } from "./lease.js";
import { dryActivate } from "./dry-activate.js";
import { realiseCommand } from "./realise-command.js";
import { RemoteShell } from "./remote-shell.js";
import { callOnce, runToItsEnd } from "./reconnect.js";
import { Sending, type SendSettings } from "./sending.js";
import { findSpecialisation } from "./specialisation.js";

/** How the machines of one run are treated. */
export type MachineSettings = BuildQuestions &
  // Its `run` names the run on the machines, together with the target.
  SendSettings & {
    /** Names the run to people. */
    readonly name: string;
    /** How the user becomes root, and whether the operation needs it. */
    readonly access: AccessSettings;
    /** Whether the machine's own nixos-rebuild is to run. */
    readonly needsRebuild: boolean;
    /** Whether a built system is compared with the running one at once, which saves a question. */
    readonly comparesBuilt: boolean;
    readonly rebuildArgs: readonly string[];
    /** Seconds for which a lost connection is retried: a machine that rolls back on its own is reachable only afterwards. */
    readonly reconnectTimeout: (phase: Phase) => number;
  };

// Bounds for what is done when a run ends early: the runner kills everything 10 s after a cancellation.
const cleanUpSeconds = 2;

/** A machine that is connected, and was asked what it is. */
export class ConnectedNixosMachine implements ConnectedMachine {
  readonly facts: MachineFacts;
  readonly #connection: Connection;
  readonly #settings: MachineSettings;
  readonly #log: HostLog;
  readonly #shell: RemoteShell;
  readonly #privileged: boolean;
  readonly #sending: Sending;
  readonly #lease: Lease;
  /** The run has a directory on the machine. */
  #prepared: boolean;
  /** What the build has said of two systems. */
  #compared: { readonly before: StorePath; readonly after: StorePath; readonly difference: BuildDifference } | undefined;

  constructor(connection: Connection, settings: MachineSettings, log: HostLog, entry: Entry, lease: Lease, prepared: boolean) {
    const { facts, shell, privileged, root } = entry;
    this.#lease = lease;
    this.facts = facts;
    this.#connection = connection;
    this.#settings = settings;
    this.#log = log;
    this.#shell = shell;
    this.#privileged = privileged;
    this.#prepared = prepared;
    this.#sending = new Sending({
      connection,
      settings,
      log,
      shell,
      privileged,
      root,
      call: (signal) => this.#call(signal),
      prepare: async (paths, signal, onRooted) => await this.#prepare(paths, "copy", signal, onRooted),
    });
  }

  get prepared(): boolean {
    return this.#prepared;
  }

  async copyFlake(sent: SentFlake, signal: AbortSignal): Promise<CopyProgress> {
    return await this.#sending.flake(sent, signal);
  }

  async copyPaths(paths: SentPaths, signal: AbortSignal): Promise<CopyProgress> {
    return await this.#sending.paths(paths, signal);
  }

  async download(path: StorePath, signal: AbortSignal): Promise<Download> {
    await this.#prepare([path], "copy", signal);
    return await downloadThere(path, { run: this.#settings.run, privileged: this.#privileged, log: this.#log, call: this.#call(signal) });
  }

  async requireSystem(path: StorePath, signal: AbortSignal): Promise<void> {
    await requireSystem(path, this.#call(signal));
  }

  async build(rebuild: Rebuild, signal: AbortSignal): Promise<StorePath> {
    const { configuration } = rebuild;
    return await this.#build(rebuildCommand(rebuild, this.#settings.rebuildArgs), { configuration, evaluates: true }, signal);
  }

  async realise(derivation: StorePath, configuration: string, signal: AbortSignal): Promise<StorePath> {
    return await this.#build(realiseCommand(derivation, this.#settings.rebuildArgs), { configuration, evaluates: false }, signal);
  }

  async #build(command: readonly string[], what: Parameters<typeof runBuild>[1], signal: AbortSignal): Promise<StorePath> {
    const { run } = this.#settings;
    const compareWith = this.#settings.comparesBuilt ? this.facts.state.running : undefined;
    const site = { run, privileged: this.#privileged, log: this.#log, facts: this.facts, questions: this.#settings, call: this.#call(signal), compareWith };
    const { toplevel, difference } = await runBuild(command, what, site);
    if (compareWith !== undefined && difference !== undefined) this.#compared = { before: compareWith, after: toplevel, difference };
    return toplevel;
  }

  async findSpecialisation(toplevel: StorePath, name: string, signal: AbortSignal): Promise<StorePath> {
    return await findSpecialisation(toplevel, name, this.#call(signal));
  }

  async compare(before: StorePath, after: StorePath, withUnits: boolean, signal: AbortSignal): Promise<SystemDifference | undefined> {
    const known = this.#compared;
    if (!withUnits && known?.before === before && known.after === after) {
      if (known.difference.kind === "known") return { closure: known.difference.closure, units: undefined };
      noteIncomparable(this.#log, known.difference.reason);
      return undefined;
    }
    return await compareSystems([before, after], withUnits, this.#shell, this.#log, signal);
  }

  async dryActivate(system: ActivatableSystem, signal: AbortSignal): Promise<ActivationEnd> {
    return await dryActivate(system, { run: this.#settings.run, privileged: this.#privileged, log: this.#log, call: this.#call(signal) });
  }

  async arm(activation: Activation, signal: AbortSignal): Promise<ArmedMachine> {
    const { run, name } = this.#settings;
    if (!this.#prepared) await this.#prepare([], "activate", signal);
    const call = (own: AbortSignal): CallScript => this.#call(own);
    const guarded = await GuardedActivation.begin(activation, { run, name, signal, log: this.#log, call: call(signal) });
    const callOver = (former: FormerConnection, own: AbortSignal): CallScript => callOnce(this.#shell.over(former), own);
    return new ArmedNixosMachine(guarded, activation, { connection: this.#connection, log: this.#log, privileged: this.#privileged, call, callOver });
  }

  rest(): void {
    this.#shell.rest();
  }

  /** Ends the processes of this run, and removes its files; where that is not possible, it says so. Never throws. */
  async cleanUp(): Promise<void> {
    if (!this.#prepared) return;
    if (!(await this.#finish())) this.reportLeft();
  }

  /** Reports that files of this run stay on the machine, and what removes them: a reboot does, too. */
  reportLeft(): void {
    if (!this.#prepared) return;
    const remover = this.#privileged ? "the machine removes it by itself" : "a run of the same user removes it after a day";
    this.#log.note(`the files of the run ${this.#settings.run} were not removed from the machine. If something is left there, ${remover}`);
  }

  async #finish(): Promise<boolean> {
    const { run } = this.#settings;
    try {
      if (!this.#shell.isOpen && !(await this.#connection.isOpen())) return false;
      const end = await this.#shell.run({ script: "finish", args: [run], privileged: this.#privileged, timeout: cleanUpSeconds });
      return end.kind === "ended" && end.exitCode === 0;
    } catch {
      // Too slow.
      return false;
    }
  }

  /** Ends the sessions on the machine. */
  close(): void {
    this.#shell.close();
  }

  async #prepare(paths: readonly StorePath[], phase: "copy" | "activate", signal: AbortSignal, onRooted?: () => void): Promise<void> {
    const { run } = this.#settings;
    const privileged = this.#privileged;
    this.#prepared = true;
    const end = await this.#call(signal)(() => ({ ...prepareCall(run, paths, privileged), onStdout: onRooted }), phase);
    if (end.exitCode === 0) {
      this.#lease.begin(async () => {
        if (!(await this.#connection.isOpen())) return;
        // A machine that waits keeps no session for this.
        await (this.#shell.isOpen ? this.#shell : this.#shell.over(this.#connection)).run(leaseCall(run, privileged));
      });
      return;
    }
    throw new DeployError({
      phase,
      reason: "the files of the run could not be created on the machine",
      hint: "Check the free space in /run and on the disk of the Nix store",
      lines: lastLines(end.stderr),
      exitCode: end.exitCode,
    });
  }

  #call(signal: AbortSignal): CallScript {
    return async (call, phase: Phase) =>
      await runToItsEnd(this.#connection, this.#shell, call, {
        phase,
        seconds: this.#settings.reconnectTimeout(phase),
        signal,
        onLost: (message) => this.#log.note(message),
      });
  }
}

/** Builds the call of the machine's own nixos-rebuild. */
function rebuildCommand({ reference, configuration }: Rebuild, extraArgs: readonly string[]): string[] {
  return ["nixos-rebuild", "build", "--flake", installable(reference, configuration), ...extraArgs];
}
