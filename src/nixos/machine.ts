import { sentPaths, type SentFlake } from "../domain/flake.js";
import { renderTarget, type Target } from "../domain/target.js";
import type { ConnectedMachine, HostLog, Machine } from "../deploy/ports.js";
import type { Connection } from "../ssh/connection.js";
import { acceptedKeyWarning } from "../ssh/failure.js";
import { ConnectedNixosMachine, type MachineSettings } from "./connected-machine.js";
import { HeadStart, isSmall } from "./head-start.js";
import { prepareCall } from "./lease.js";
import { nameOnMachine } from "./name-on-machine.js";
import { enter, type FirstPreparation } from "./probe.js";
import { RemoteShell } from "./remote-shell.js";
import { RunFiles } from "./run-files.js";

/** A NixOS machine behind an ssh connection. */
export class NixosMachine implements Machine {
  readonly target: Target;
  readonly #connection: Connection;
  readonly #settings: MachineSettings;
  readonly #log: HostLog;
  readonly #files: RunFiles;
  #headStart: HeadStart | undefined;
  #connected: ConnectedNixosMachine | undefined;

  constructor(connection: Connection, settings: MachineSettings, log: HostLog) {
    this.target = connection.target;
    this.#connection = connection;
    const { run, name } = settings;
    this.#settings = { ...settings, run: nameOnMachine(run, this.target.name), name: `${name}, target ${renderTarget(this.target)}` };
    this.#log = log;
    this.#files = new RunFiles(connection, this.#settings.run, log);
  }

  async connect(signal: AbortSignal, next?: () => SentFlake | undefined): Promise<ConnectedMachine> {
    await this.#connection.open(signal);
    for (const key of this.#connection.acceptedKeys()) this.#log.warn(acceptedKeyWarning(key));
    // That of an earlier try went over a connection that is lost.
    await this.#headStart?.cancel();
    this.#headStart = await this.#goAhead(next?.(), signal);
    const { access, needsRebuild } = this.#settings;
    const entry = await enter(this.#connection, { ...access, needsRebuild }, signal, this.#preparing());
    if (entry.prepared) this.#files.made();
    else await this.#headStart?.cancel();
    this.#connected?.close();
    this.#connected = new ConnectedNixosMachine(this.#connection, this.#settings, this.#log, entry, this.#files, this.#headStart);
    return this.#connected;
  }

  async release(activation: "undecided" | "decided"): Promise<void> {
    const cancelled = this.#headStart?.cancel();
    await this.#files.end(activation === "undecided");
    this.#connected?.close();
    await cancelled;
    await this.#connection.close();
  }

  /** Nothing has to be known of the machine to send it a small flake, but another user than root has to become root first. */
  async #goAhead(next: SentFlake | undefined, signal: AbortSignal): Promise<HeadStart | undefined> {
    if (next === undefined || this.target.user !== "root" || this.#files.areThere) return undefined;
    return (await isSmall(next, this.#settings)) ? new HeadStart(next, this.#connection, this.#settings, signal) : undefined;
  }

  /** What the first script is to prepare for the flake that follows it. */
  #preparing(): FirstPreparation | undefined {
    const headStart = this.#headStart;
    if (headStart === undefined) return undefined;
    this.#files.sent({ shell: new RemoteShell(this.#connection, { kind: "none" }), privileged: true });
    const { args } = prepareCall(this.#settings.run, sentPaths(headStart.sent), true);
    return { args, onRooted: () => headStart.begin() };
  }
}
