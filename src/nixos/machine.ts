import type { CopyProgress } from "../domain/copy-progress.js";
import { CommandError, DeployError } from "../domain/errors.js";
import { sentPaths, type SentFlake } from "../domain/flake.js";
import { lastLines } from "../domain/lines.js";
import type { Phase } from "../domain/phase.js";
import type { StorePath } from "../domain/store-path.js";
import { renderTarget, type Target } from "../domain/target.js";
import type {
  ActivatableSystem,
  Activation,
  ActivationEnd,
  ArmedMachine,
  ConnectedMachine,
  HostLog,
  Machine,
  MachineFacts,
  Rebuild,
  SentPaths,
  SystemDifference,
} from "../deploy/ports.js";
import { BuildLogReader } from "../nix/build-log.js";
import { explainSendFailure, speaksOfDaemon, type DaemonState } from "../nix/send-failure.js";
import { copyPaths } from "../nix/copy-paths.js";
import { sendFlake, type SendOptions } from "../nix/send.js";
import type { Connection, FormerConnection } from "../ssh/connection.js";
import { acceptedKeyWarning, speaksOfLostConnection } from "../ssh/failure.js";
import type { AccessSettings } from "./elevation.js";
import { ArmedNixosMachine } from "./armed-machine.js";
import { GuardedActivation } from "./activation.js";
import { buildError, fileNotFound, isMissingConfiguration, type BuildContext, type RebuildFailure } from "./build-failure.js";
import { compareSystems } from "./compare.js";
import { enter, type Entry } from "./probe.js";
import { parseFacts } from "./facts.js";
import { importClosure, wantsSignature } from "./import-closure.js";
import { runJob, type CallScript } from "./job.js";
import { dryActivate } from "./dry-activate.js";
import { realiseCommand } from "./realise-command.js";
import { RemoteShell } from "./remote-shell.js";
import { nameOnMachine } from "./name-on-machine.js";
import { callOnce, runToItsEnd } from "./reconnect.js";
import { findSpecialisation } from "./specialisation.js";

/** How the machines of one run are treated. */
export type MachineSettings = {
  /** Names the run on the machines, together with the target. */
  readonly run: string;
  /** Names the run to people. */
  readonly name: string;
  /** How the user becomes root, and whether the operation needs it. */
  readonly access: AccessSettings;
  /** Whether the machine's own nixos-rebuild is to run. */
  readonly needsRebuild: boolean;
  readonly checkSignatures: boolean;
  /** Whether the machine downloads from its own binary caches what they have of a system that is sent. */
  readonly substitute: boolean;
  readonly archiveArgs: readonly string[];
  readonly rebuildArgs: readonly string[];
  /** Seconds for which a lost connection is retried: a machine that rolls back on its own is reachable only afterwards. */
  readonly reconnectTimeout: (phase: Phase) => number;
  /** The attributes of `nixosConfigurations`; `undefined` where they are unknown. */
  readonly configurationNames: () => Promise<readonly string[] | undefined>;
  /** Returns whether a file, relative to the flake's root, is in the work tree on the runner and not tracked by Git. */
  readonly isUntracked: (file: string) => Promise<boolean>;
};

// Bounds for what is done when a run ends early: the runner kills everything 10 s after a cancellation.
const cleanUpSeconds = 2;

/** A NixOS machine behind an ssh connection. */
export class NixosMachine implements Machine {
  readonly target: Target;
  readonly #connection: Connection;
  readonly #settings: MachineSettings;
  readonly #log: HostLog;
  #connected: ConnectedNixosMachine | undefined;

  constructor(connection: Connection, settings: MachineSettings, log: HostLog) {
    this.target = connection.target;
    this.#connection = connection;
    const { run, name } = settings;
    this.#settings = { ...settings, run: nameOnMachine(run, this.target.name), name: `${name}, target ${renderTarget(this.target)}` };
    this.#log = log;
  }

  async connect(signal: AbortSignal): Promise<ConnectedMachine> {
    await this.#connection.open(signal);
    for (const key of this.#connection.acceptedKeys()) this.#log.warn(acceptedKeyWarning(key));
    const { access, needsRebuild } = this.#settings;
    const entry = await enter(this.#connection, { ...access, needsRebuild }, signal);
    const prepared = this.#connected?.prepared ?? false;
    this.#connected = new ConnectedNixosMachine(this.#connection, this.#settings, this.#log, entry, prepared);
    return this.#connected;
  }

  async release(activation: "undecided" | "decided"): Promise<void> {
    if (activation === "decided") await this.#connected?.cleanUp();
    await this.#connection.close();
  }
}

class ConnectedNixosMachine implements ConnectedMachine {
  readonly facts: MachineFacts;
  readonly #connection: Connection;
  readonly #settings: MachineSettings;
  readonly #log: HostLog;
  readonly #shell: RemoteShell;
  readonly #privileged: boolean;
  readonly #root: boolean;
  /** The run has a directory on the machine. */
  #prepared: boolean;

  constructor(connection: Connection, settings: MachineSettings, log: HostLog, { facts, shell, privileged, root }: Entry, prepared: boolean) {
    this.facts = facts;
    this.#connection = connection;
    this.#settings = settings;
    this.#log = log;
    this.#shell = shell;
    this.#privileged = privileged;
    this.#root = root;
    this.#prepared = prepared;
  }

  get prepared(): boolean {
    return this.#prepared;
  }

  async copyFlake(sent: SentFlake, signal: AbortSignal): Promise<CopyProgress> {
    const { run, checkSignatures, archiveArgs } = this.#settings;
    const paths = sentPaths(sent);
    const copied = await this.#keeping(paths, signal, async () => {
      const send = async (): Promise<CopyProgress> => await sendFlake(sent, { ...this.#sending(signal), checkSignatures, extraArgs: archiveArgs });
      return await this.#explained(send, "the flake", signal);
    });
    this.#log.note(`copied ${sent.flake.source} (run ${run})`);
    return copied;
  }

  async copyPaths(paths: SentPaths, signal: AbortSignal): Promise<CopyProgress> {
    const { run, checkSignatures, substitute } = this.#settings;
    const roots = [...paths.closures, ...paths.derivations];
    const copied = await this.#keeping(roots, signal, async () => {
      // Root could import them anyway.
      const checked = checkSignatures && !this.#root;
      const send = async (): Promise<CopyProgress> => {
        try {
          return await copyPaths(paths, { ...this.#sending(signal), checkSignatures: checked, substitute });
        } catch (error) {
          if (!this.#privileged || this.#root || !wantsSignature(error)) throw error;
          return await importClosure(roots, { shell: this.#shell, call: this.#call(signal), log: this.#log, signal });
        }
      };
      return await this.#explained(send, "the system", signal);
    });
    this.#log.note(`copied ${roots.join(", ")} (run ${run})`);
    return copied;
  }

  async build(rebuild: Rebuild, signal: AbortSignal): Promise<StorePath> {
    const command = rebuildCommand(rebuild, this.#settings.rebuildArgs);
    return await this.#build(command, { configuration: rebuild.configuration, evaluates: true }, signal);
  }

  async realise(derivation: StorePath, configuration: string, signal: AbortSignal): Promise<StorePath> {
    return await this.#build(realiseCommand(derivation, this.#settings.rebuildArgs), { configuration, evaluates: false }, signal);
  }

  async #build(
    command: readonly string[],
    { configuration, evaluates }: Pick<RebuildFailure, "configuration" | "evaluates">,
    signal: AbortSignal,
  ): Promise<StorePath> {
    const { run } = this.#settings;
    const log = new BuildLogReader();
    const onLine = (line: string): void => {
      log.read(line);
      this.#log.output(line);
    };
    const job = { run, name: "build", phase: "build", command, privileged: this.#privileged, onLine } as const;
    const { exitCode, result, lines } = await runJob(job, this.#call(signal));
    if (exitCode !== 0) {
      const failure = { exitCode, configuration, lines, failures: log.failures, evaluates };
      throw buildError(failure, await this.#buildContext(failure));
    }
    if (result === undefined)
      throw new DeployError({ phase: "build", reason: `${command.slice(0, 2).join(" ")} succeeded but produced no system`, lines, exitCode });
    return result;
  }

  async findSpecialisation(toplevel: StorePath, name: string, signal: AbortSignal): Promise<StorePath> {
    return await findSpecialisation(toplevel, name, this.#call(signal));
  }

  async compare(before: StorePath, after: StorePath, signal: AbortSignal): Promise<SystemDifference | undefined> {
    return await compareSystems([before, after], this.#shell, this.#log, signal);
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

  /** Ends the processes of this run, and removes its files. Never throws. */
  async cleanUp(): Promise<void> {
    if (!this.#prepared) return;
    const { run } = this.#settings;
    try {
      if (await this.#connection.isOpen()) await this.#shell.run({ script: "finish", args: [run], privileged: this.#privileged, timeout: cleanUpSeconds });
    } catch {
      // Too slow: the next run on this machine removes the files of dead runs.
    }
  }

  /** What every call of Nix that sends something is given. */
  #sending(signal: AbortSignal): Pick<SendOptions, "store" | "environment" | "signal" | "onLine" | "onBegin"> {
    const { store, environment } = this.#connection;
    return { store, environment, signal, onLine: (line) => this.#log.output(line), onBegin: (progress) => this.#log.copying(progress) };
  }

  /** Keeps what is sent from garbage collection. */
  async #keeping(paths: readonly StorePath[], signal: AbortSignal, send: () => Promise<CopyProgress>): Promise<CopyProgress> {
    await this.#prepare(paths, "copy", signal);
    const copied = await send();
    // Who is not root can only keep what is there already.
    if (!this.#privileged) await this.#prepare(paths, "copy", signal);
    return copied;
  }

  /** Sends something with Nix. Throws a `DeployError` that says why it did not arrive. */
  async #explained(send: () => Promise<CopyProgress>, what: string, signal: AbortSignal): Promise<CopyProgress> {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof CommandError) || error.failure.kind === "aborted" || error.failure.kind === "timeout") throw error;
      const open = await this.#connection.isOpen();
      const state = open && speaksOfDaemon(error.stderr) ? await this.#daemonState(signal) : undefined;
      // A lost connection looks the same as a daemon that hangs up, unless the machine says that it does.
      const refused = state !== undefined && state.daemon !== "ok" && state.daemon !== "";
      const lost = !refused && (!open || speaksOfLostConnection(error.stderr));
      throw new DeployError(explainSendFailure(error, { what, lost, user: this.#connection.target.user, state }));
    }
  }

  async #prepare(paths: readonly StorePath[], phase: "copy" | "activate", signal: AbortSignal): Promise<void> {
    const args = [this.#settings.run, ...paths];
    this.#prepared = true;
    const end = await this.#call(signal)(() => ({ script: "prepare", args, privileged: this.#privileged }), phase);
    if (end.exitCode === 0) return;
    throw new DeployError({
      phase,
      reason: "the files of the run could not be created on the machine",
      hint: "Check the free space in /run and on the disk of the Nix store",
      lines: lastLines(end.stderr),
      exitCode: end.exitCode,
    });
  }

  async #buildContext(failure: RebuildFailure): Promise<BuildContext> {
    const { configurationNames, isUntracked } = this.#settings;
    const file = fileNotFound(failure);
    return {
      configurations: isMissingConfiguration(failure) ? await configurationNames() : undefined,
      untrackedFile: file !== undefined && (await isUntracked(file)) ? file : undefined,
      memoryKibibytes: this.facts.memoryKibibytes,
      nix: this.facts.nix,
    };
  }

  /** Queries why the daemon refused Nix, as the ssh user; `undefined` where the machine cannot be queried. */
  async #daemonState(signal: AbortSignal): Promise<DaemonState | undefined> {
    const outcome = await this.#shell.run({ script: "daemon", args: [], privileged: false, timeout: cleanUpSeconds * 5, signal }).catch(() => undefined);
    if (outcome?.kind !== "ended" || outcome.exitCode !== 0) return undefined;
    const facts = parseFacts(outcome.stdout);
    return { daemon: facts.get("daemon") ?? "", allowedUsers: facts.get("allowed-users") ?? "" };
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
export function rebuildCommand({ reference, configuration }: Rebuild, extraArgs: readonly string[]): string[] {
  return ["nixos-rebuild", "build", "--flake", `${reference}#${configuration}`, ...extraArgs];
}
