import type { CopyProgress } from "../domain/copy-progress.js";
import { sentPaths, type SentFlake } from "../domain/flake.js";
import type { HostLog } from "../deploy/ports.js";
import { sendFlake } from "../nix/send.js";
import type { Connection } from "../ssh/connection.js";
import { isWorthPacking } from "./packed-copy.js";
import type { SendSettings } from "./send-settings.js";

/**
 * A flake that travels to a machine while that is asked for its facts. It is only a head start: where it fails, or arrives before its
 * roots are made, the flake is sent as it would have been without it, and that says what is wrong.
 */
export class HeadStart {
  readonly sent: SentFlake;
  readonly #stop = new AbortController();
  readonly #held: string[] = [];
  readonly #ended: Promise<CopyProgress | undefined>;
  #log: HostLog | undefined;
  #progress: (() => CopyProgress) | undefined;
  #rooted = false;

  constructor(sent: SentFlake, connection: Pick<Connection, "store" | "environment">, settings: SendSettings, signal: AbortSignal) {
    this.sent = sent;
    const { checkSignatures, archiveArgs } = settings;
    const { store, environment } = connection;
    this.#ended = sendFlake(sent, {
      store,
      environment,
      checkSignatures,
      extraArgs: archiveArgs,
      signal: AbortSignal.any([signal, this.#stop.signal]),
      onLine: (line) => (this.#log === undefined ? this.#held.push(line) : this.#log.output(line)),
      onBegin: (progress) => (this.#progress = progress),
    }).then(
      // Nix on the machine protects a path that arrives until the sending has ended, and no longer.
      (copied) => (this.#rooted && !this.#stop.signal.aborted ? copied : undefined),
      () => undefined,
    );
  }

  /** The machine keeps from now on what arrives. */
  rooted(): void {
    this.#rooted = true;
  }

  /** Shows the copy in the log, and waits for its end. Returns what was copied; `undefined` where the flake has to be sent. */
  async end(log: HostLog): Promise<CopyProgress | undefined> {
    this.#log = log;
    for (const line of this.#held.splice(0)) log.output(line);
    if (this.#progress !== undefined) log.copying(this.#progress);
    return await this.#ended;
  }

  /** Ends the sending, unless it has ended. */
  async cancel(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }
}

/** Returns whether a flake is small enough to travel as it is: what may travel compressed waits for what the machine lacks. */
export async function isSmall(sent: SentFlake, { compress }: Pick<SendSettings, "compress">): Promise<boolean> {
  return !(await isWorthPacking(sentPaths(sent), compress).catch(() => true));
}
