import { renderTarget, type Target } from "../domain/target.js";
import type { ConnectedMachine, HostLog, Machine } from "../deploy/ports.js";
import type { Connection } from "../ssh/connection.js";
import { acceptedKeyWarning } from "../ssh/failure.js";
import { ConnectedNixosMachine, type MachineSettings } from "./connected-machine.js";
import { enter } from "./probe.js";
import { Lease } from "./lease.js";
import { nameOnMachine } from "./name-on-machine.js";

/** A NixOS machine behind an ssh connection. */
export class NixosMachine implements Machine {
  readonly target: Target;
  readonly #connection: Connection;
  readonly #settings: MachineSettings;
  readonly #log: HostLog;
  readonly #lease = new Lease();
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
    this.#connected?.close();
    this.#connected = new ConnectedNixosMachine(this.#connection, this.#settings, this.#log, entry, this.#lease, prepared);
    return this.#connected;
  }

  async release(activation: "undecided" | "decided"): Promise<void> {
    this.#lease.end();
    if (activation === "decided") await this.#connected?.cleanUp();
    else this.#connected?.reportLeft();
    this.#connected?.close();
    await this.#connection.close();
  }
}
