import { DeployError } from "../domain/errors.js";
import { lastLines } from "../domain/lines.js";
import type { StorePath } from "../domain/store-path.js";
import type { HostLog } from "../deploy/ports.js";
import type { Connection } from "../ssh/connection.js";
import type { CallScript } from "./job.js";
import { Lease, leaseCall, prepareCall } from "./lease.js";
import type { RemoteShell } from "./remote-shell.js";

/** How the scripts that make and remove the files run. */
export type Way = { readonly shell: RemoteShell; readonly privileged: boolean };

/** Store paths that are to be kept from garbage collection; `onRooted` is called when they are. */
export type Preparing = { readonly paths: readonly StorePath[]; readonly phase: "copy" | "activate"; readonly onRooted?: (() => void) | undefined };

// Bounds for what is done when a run ends early: the runner kills everything 10 s after a cancellation.
const removeSeconds = 2;

/** What a run has on one machine, whichever connection it is reached by: a directory, roots, and the lease that has the machine remove them. */
export class RunFiles {
  readonly #connection: Pick<Connection, "isOpen" | "run">;
  readonly #run: string;
  readonly #log: HostLog;
  readonly #lease = new Lease();
  #way: Way | undefined;
  #areMade = false;

  /** `run` is the run as the machine has it. */
  constructor(connection: Pick<Connection, "isOpen" | "run">, run: string, log: HostLog) {
    this.#connection = connection;
    this.#run = run;
    this.#log = log;
  }

  /** Something of the run may be on the machine. */
  get areThere(): boolean {
    return this.#way !== undefined;
  }

  /** They are made. */
  get areMade(): boolean {
    return this.#areMade;
  }

  /** What there is can be reached like this from now on. */
  reachedBy(way: Way): void {
    if (this.areThere) this.#way = way;
  }

  /** The machine has been sent what makes them. */
  sent(way: Way): void {
    this.#way = way;
  }

  /** They are made: the machine is told again and again that the run is alive. */
  made(): void {
    this.#areMade = true;
    this.#lease.begin(async () => {
      if (this.#way === undefined || !(await this.#connection.isOpen())) return;
      const { shell, privileged } = this.#way;
      // A machine that waits keeps no session for this.
      await (shell.isOpen ? shell : shell.over(this.#connection)).run(leaseCall(this.#run, privileged));
    });
  }

  /** Makes them, or adds to them. Throws a `DeployError` of that phase. */
  async make({ paths, phase, onRooted }: Preparing, way: Way, call: CallScript): Promise<void> {
    this.sent(way);
    const end = await call(() => ({ ...prepareCall(this.#run, paths, way.privileged), onStdout: onRooted }), phase);
    if (end.exitCode === 0) {
      this.made();
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

  /** The run is over: ends its processes on the machine, and removes the files unless they are `kept`. Says so where they stay. Never throws. */
  async end(kept: boolean): Promise<void> {
    this.#lease.end();
    if (this.#way === undefined) return;
    if (kept || !(await this.#remove(this.#way))) this.#reportLeft(this.#way);
  }

  /** A reboot removes them, too. */
  #reportLeft({ privileged }: Way): void {
    const remover = privileged ? "the machine removes it by itself" : "a run of the same user removes it after a day";
    this.#log.note(`the files of the run ${this.#run} were not removed from the machine. If something is left there, ${remover}`);
  }

  async #remove({ shell, privileged }: Way): Promise<boolean> {
    try {
      if (!shell.isOpen && !(await this.#connection.isOpen())) return false;
      const end = await shell.run({ script: "finish", args: [this.#run], privileged, timeout: removeSeconds });
      return end.kind === "ended" && end.exitCode === 0;
    } catch {
      // Too slow.
      return false;
    }
  }
}
