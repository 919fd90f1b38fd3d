import type { CopyProgress } from "../domain/copy-progress.js";
import { CommandError, DeployError } from "../domain/errors.js";
import { sentPaths, type SentFlake } from "../domain/flake.js";
import { rebuildAction, type Operation } from "../domain/operation.js";
import type { Phase } from "../domain/phase.js";
import type { StorePath } from "../domain/store-path.js";
import { displayTarget, type Target } from "../domain/target.js";
import { UnitPlanReader } from "../domain/unit-plan.js";
import type { Activation, ActivationEnd, HostLog, Machine, MachineFacts, Rebuild, Reached, RollbackEnd, SystemDifference } from "../deploy/ports.js";
import { BuildLogReader } from "../nix/build-log.js";
import { explainSendFailure, speaksOfDaemon, type DaemonState } from "../nix/send-failure.js";
import { sendFlake } from "../nix/send.js";
import type { Connection } from "../ssh/connection.js";
import { acceptedKeyWarning, speaksOfLostConnection } from "../ssh/failure.js";
import type { AccessSettings } from "./access.js";
import { activationFailure } from "./activation-failure.js";
import { GuardedActivation } from "./activation.js";
import { buildError, fileNotFound, isMissingConfiguration, type BuildContext, type RebuildFailure } from "./build-failure.js";
import { compareSystems } from "./compare.js";
import { enter } from "./entry.js";
import { parseFacts } from "./facts.js";
import { checkHealth } from "./health.js";
import { runJob, type CallScript, type JobEnd } from "./job.js";
import { RemoteShell } from "./remote-shell.js";
import { nameOnMachine } from "./name-on-machine.js";
import { lastLines, runToItsEnd } from "./session.js";

/** How the machines of one run are treated. */
export type MachineSettings = {
  /** Names the run on the machines, together with the target. */
  readonly run: string;
  /** Names the run to people. */
  readonly name: string;
  /** How the user becomes root, and whether the operation needs it. */
  readonly access: AccessSettings;
  readonly checkSignatures: boolean;
  readonly archiveArgs: readonly string[];
  readonly rebuildArgs: readonly string[];
  /** Seconds in which a lost connection may come back: a machine that goes back by itself comes back only then. */
  readonly patience: (phase: Phase) => number;
  /** The attributes of `nixosConfigurations`; `undefined` where that cannot be told. */
  readonly configurationNames: () => Promise<readonly string[] | undefined>;
  /** Tells whether a file, relative to the flake's root, is in the work tree on the runner and not in Git. */
  readonly isUntracked: (file: string) => Promise<boolean>;
};

// Bounds for what is done when a run ends early: the runner kills everything 10 s after a cancellation.
const farewellSeconds = 2;

/** A NixOS machine behind an ssh connection. */
export class NixosMachine implements Machine {
  readonly target: Target;
  readonly #connection: Connection;
  readonly #settings: MachineSettings;
  readonly #log: HostLog;
  #shell: RemoteShell;
  #privileged = false;
  #memoryKibibytes: number | undefined;
  /** The run has a directory on the machine. */
  #prepared = false;
  #activation: GuardedActivation | undefined;
  /** An activation has begun, and neither the new nor the old system was decided for. */
  #undecided = false;

  constructor(connection: Connection, settings: MachineSettings, log: HostLog) {
    this.target = connection.target;
    this.#connection = connection;
    const { run, name } = settings;
    this.#settings = { ...settings, run: nameOnMachine(run, this.target.name), name: `${name}, target ${displayTarget(this.target)}` };
    this.#log = log;
    this.#shell = new RemoteShell(connection, { kind: "none" });
  }

  async connect(signal: AbortSignal): Promise<MachineFacts> {
    await this.#connection.open(signal);
    for (const key of this.#connection.acceptedKeys()) this.#log.warn(acceptedKeyWarning(key));
    const { facts, shell, privileged } = await enter(this.#connection, this.#settings.access, signal);
    this.#shell = shell;
    this.#privileged = privileged;
    this.#memoryKibibytes = facts.memoryKibibytes;
    return facts;
  }

  async receive(sent: SentFlake, signal: AbortSignal): Promise<CopyProgress> {
    const { run, checkSignatures, archiveArgs } = this.#settings;
    const paths = sentPaths(sent);
    await this.#prepare(paths, "copy", signal);
    let copied: CopyProgress;
    try {
      copied = await sendFlake(sent, {
        store: this.#connection.store,
        environment: this.#connection.environment,
        checkSignatures,
        extraArgs: archiveArgs,
        signal,
        onLine: (line) => this.#log.output(line),
        onBegin: (progress) => this.#log.copying(progress),
      });
    } catch (error) {
      if (!(error instanceof CommandError) || error.failure.kind === "aborted" || error.failure.kind === "timeout") throw error;
      const open = await this.#connection.isOpen();
      const state = open && speaksOfDaemon(error.stderr) ? await this.#daemonState(signal) : undefined;
      // A lost connection looks the same as a daemon that hangs up, unless the machine says that it does.
      const refused = state !== undefined && state.daemon !== "ok" && state.daemon !== "";
      const lost = !refused && (!open || speaksOfLostConnection(error.stderr));
      throw new DeployError(explainSendFailure(error, lost, this.target.user, state));
    }
    // Who is not root can only keep what is there already.
    if (!this.#privileged) await this.#prepare(paths, "copy", signal);
    this.#log.note(`${sent.flake.source} has arrived (run ${run})`);
    return copied;
  }

  async build(rebuild: Rebuild, signal: AbortSignal): Promise<StorePath> {
    const log = new BuildLogReader();
    const { exitCode, result, lines } = await this.#rebuild("build", "build", rebuild, signal, (line) => log.read(line));
    if (exitCode !== 0) {
      const failure = { exitCode, configuration: rebuild.configuration, lines, failures: log.failures };
      throw buildError(failure, await this.#buildContext(failure));
    }
    if (result === undefined) throw new DeployError({ phase: "build", reason: "nixos-rebuild build ended well, but left no system", lines, exitCode });
    return result;
  }

  async rehearse(rebuild: Rebuild, signal: AbortSignal): Promise<Omit<ActivationEnd, "before">> {
    const reader = new UnitPlanReader();
    const { exitCode, lines, state } = await this.#rebuild("activate", "dry-activate", rebuild, signal, (line) => reader.read(line));
    const failure = exitCode === 0 ? undefined : activationFailure({ exitCode, lines });
    return { exitCode, lines, after: state, plan: reader.plan("rehearsal"), failure };
  }

  async compare(before: StorePath, after: StorePath, signal: AbortSignal): Promise<SystemDifference | undefined> {
    return await compareSystems([before, after], this.#shell, this.#log, signal);
  }

  async activate(activation: Activation, signal: AbortSignal): Promise<ActivationEnd> {
    const { run, name, rebuildArgs } = this.#settings;
    if (!this.#prepared) await this.#prepare([], "activate", signal);
    this.#activation = await GuardedActivation.begin(activation, { run, name, signal, log: this.#log, call: this.#call(signal) });
    this.#undecided = true;
    activation.onArmed();
    const command = rebuildCommand(activation.operation, activation.rebuild, rebuildArgs);
    if (activation.guarded) return await this.#activation.run(command, this.#call(signal));
    // Without a watchdog on the machine nobody but us looks at the clock.
    const { activation: seconds } = activation.limits;
    const late = AbortSignal.timeout(seconds * 1000);
    try {
      return await this.#activation.run(command, this.#call(AbortSignal.any([signal, late])));
    } catch (error) {
      if (signal.aborted || !late.aborted) throw error;
      throw new DeployError({ phase: "activate", reason: `the activation took longer than activation-timeout (${seconds} s)`, cause: error });
    }
  }

  async reach(signal: AbortSignal): Promise<Reached> {
    // A connection that was there before the switch proves nothing: an old one outlives a firewall that refuses new ones.
    await this.#connection.reopen(signal).catch((error: unknown) => {
      // What does not answer yet is tried again, with all patience, by the call that follows.
      if (!(error instanceof DeployError) || !error.unreachable) throw error;
    });
    return await this.#guarded().hold();
  }

  async keep(): Promise<Reached> {
    const reached = await this.#guarded().keep();
    if (reached !== "late") this.#undecided = false;
    return reached;
  }

  async checkHealth(command: string, seconds: number, signal: AbortSignal): Promise<string | undefined> {
    return await checkHealth(command, seconds, this.#call(signal), this.#log, signal);
  }

  async rollBack(): Promise<RollbackEnd> {
    const end = await this.#guarded().rollBack();
    this.#undecided = false;
    return end;
  }

  async journal(units: readonly string[], signal: AbortSignal): Promise<string[]> {
    try {
      const end = await this.#call(signal)(() => ({ script: "journal", args: ["10", ...units], privileged: this.#privileged }), "confirm");
      return lastLines(end.stdout);
    } catch {
      return [];
    }
  }

  async release(): Promise<void> {
    // An activation that nobody has decided about goes on without us, and needs its directory.
    if (this.#prepared && !this.#undecided) await this.#farewell();
    await this.#connection.close();
  }

  async #prepare(paths: readonly StorePath[], phase: "copy" | "activate", signal: AbortSignal): Promise<void> {
    const args = [this.#settings.run, ...paths];
    this.#prepared = true;
    const end = await this.#call(signal)(() => ({ script: "prepare", args, privileged: this.#privileged }), phase);
    if (end.exitCode === 0) return;
    throw new DeployError({
      phase,
      reason: "the machine cannot keep the files of the run",
      hint: "Is there room below /run, and on the store's disk?",
      lines: lastLines(end.stderr),
      exitCode: end.exitCode,
    });
  }

  async #rebuild(
    name: "build" | "activate",
    operation: Operation,
    rebuild: Rebuild,
    signal: AbortSignal,
    read: (line: string) => void = () => undefined,
  ): Promise<JobEnd> {
    const command = rebuildCommand(operation, rebuild, this.#settings.rebuildArgs);
    const { run } = this.#settings;
    const onLine = (line: string): void => {
      read(line);
      this.#log.output(line);
    };
    return await runJob({ run, name, phase: name, command, privileged: this.#privileged, onLine }, this.#call(signal));
  }

  async #buildContext(failure: RebuildFailure): Promise<BuildContext> {
    const { configurationNames, isUntracked } = this.#settings;
    const file = fileNotFound(failure);
    return {
      configurations: isMissingConfiguration(failure) ? await configurationNames() : undefined,
      untrackedFile: file !== undefined && (await isUntracked(file)) ? file : undefined,
      memoryKibibytes: this.#memoryKibibytes,
    };
  }

  /** Asks why Nix was turned away, as the ssh user; `undefined` where the machine cannot be asked. */
  async #daemonState(signal: AbortSignal): Promise<DaemonState | undefined> {
    const outcome = await this.#shell.run({ script: "daemon", args: [], privileged: false, timeout: farewellSeconds * 5, signal }).catch(() => undefined);
    if (outcome?.kind !== "ended" || outcome.exitCode !== 0) return undefined;
    const facts = parseFacts(outcome.stdout);
    return { daemon: facts.get("daemon") ?? "", allowedUsers: facts.get("allowed-users") ?? "" };
  }

  #guarded(): GuardedActivation {
    if (this.#activation === undefined) throw new Error("nothing was activated");
    return this.#activation;
  }

  #call(signal: AbortSignal): CallScript {
    return async (call, phase: Phase) =>
      await runToItsEnd(this.#connection, this.#shell, call, {
        phase,
        seconds: this.#settings.patience(phase),
        signal,
        onLost: (message) => this.#log.note(message),
      });
  }

  async #farewell(): Promise<void> {
    const { run } = this.#settings;
    try {
      if (await this.#connection.isOpen()) await this.#shell.run({ script: "finish", args: [run], privileged: this.#privileged, timeout: farewellSeconds });
    } catch {
      // Too slow: the next run on this machine removes what a dead run has left.
    }
  }
}

/** Builds the call of the machine's own nixos-rebuild. */
export function rebuildCommand(operation: Operation, rebuild: Rebuild | undefined, extraArgs: readonly string[]): string[] {
  const what = rebuild === undefined ? ["--rollback"] : ["--flake", `${rebuild.reference}#${rebuild.configuration}`];
  return ["nixos-rebuild", rebuildAction(operation), ...what, ...extraArgs];
}
