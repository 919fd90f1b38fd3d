import type { CopyProgress } from "../domain/copy-progress.js";
import { installable } from "../domain/flake-reference.js";
import type { SentFlake } from "../domain/flake.js";
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
import type { HeadStart } from "./head-start.js";
import { dryActivate } from "./dry-activate.js";
import { realiseCommand } from "./realise-command.js";
import { RemoteShell } from "./remote-shell.js";
import type { Preparing, RunFiles } from "./run-files.js";
import { callOnce, runToItsEnd } from "./reconnect.js";
import { Sending } from "./sending.js";
import type { SendSettings } from "./send-settings.js";
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

/** A machine that is connected, and was asked what it is. */
export class ConnectedNixosMachine implements ConnectedMachine {
  readonly facts: MachineFacts;
  readonly #connection: Connection;
  readonly #settings: MachineSettings;
  readonly #log: HostLog;
  readonly #shell: RemoteShell;
  readonly #privileged: boolean;
  readonly #sending: Sending;
  readonly #files: RunFiles;
  /** What the build has said of two systems. */
  #compared: { readonly before: StorePath; readonly after: StorePath; readonly difference: BuildDifference } | undefined;

  constructor(connection: Connection, settings: MachineSettings, log: HostLog, entry: Entry, files: RunFiles, headStart: HeadStart | undefined) {
    const { facts, shell, privileged, root } = entry;
    this.facts = facts;
    this.#connection = connection;
    this.#settings = settings;
    this.#log = log;
    this.#shell = shell;
    this.#privileged = privileged;
    this.#files = files;
    this.#files.reachedBy({ shell, privileged });
    this.#sending = new Sending({
      connection,
      settings,
      log,
      shell,
      privileged,
      root,
      headStart,
      call: (signal) => this.#call(signal),
      prepare: async (paths, signal, onRooted) => await this.#prepare({ paths, phase: "copy", onRooted }, signal),
    });
  }

  async copyFlake(sent: SentFlake, signal: AbortSignal): Promise<CopyProgress> {
    return await this.#sending.flake(sent, signal);
  }

  async copyPaths(paths: SentPaths, signal: AbortSignal): Promise<CopyProgress> {
    return await this.#sending.paths(paths, signal);
  }

  async download(path: StorePath, signal: AbortSignal): Promise<Download> {
    await this.#prepare({ paths: [path], phase: "copy" }, signal);
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
    if (!this.#files.areMade) await this.#prepare({ paths: [], phase: "activate" }, signal);
    const call = (own: AbortSignal): CallScript => this.#call(own);
    const guarded = await GuardedActivation.begin(activation, { run, name, signal, log: this.#log, call: call(signal) });
    const callOver = (former: FormerConnection, own: AbortSignal): CallScript => callOnce(this.#shell.over(former), own);
    return new ArmedNixosMachine(guarded, activation, { connection: this.#connection, log: this.#log, privileged: this.#privileged, call, callOver });
  }

  rest(): void {
    this.#shell.rest();
  }

  /** Ends the sessions on the machine. */
  close(): void {
    this.#shell.close();
  }

  async #prepare(preparing: Preparing, signal: AbortSignal): Promise<void> {
    await this.#files.make(preparing, { shell: this.#shell, privileged: this.#privileged }, this.#call(signal));
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
