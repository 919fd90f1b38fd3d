import type { CopyProgress } from "../domain/copy-progress.js";
import { sentPaths, type SentFlake } from "../domain/flake.js";
import type { HostLog } from "../deploy/ports.js";
import { sendFlake } from "../nix/send.js";
import type { Connection } from "../ssh/connection.js";
import { isWorthPacking } from "./packed-copy.js";
import type { SendSettings } from "./send-settings.js";

/**
 * A flake that travels to a machine while that is still asked for its facts, from the moment on at which the machine keeps what arrives. It
 * is only a head start: where it fails, the flake is sent as it would have been without it, and that says what is wrong.
 */
export class HeadStart {
  readonly sent: SentFlake;
  readonly #connection: Pick<Connection, "store" | "environment">;
  readonly #settings: SendSettings;
  readonly #signal: AbortSignal;
  readonly #stop = new AbortController();
  readonly #held: string[] = [];
  #log: HostLog | undefined;
  #progress: (() => CopyProgress) | undefined;
  #sending: Promise<CopyProgress | undefined> | undefined;

  constructor(sent: SentFlake, connection: Pick<Connection, "store" | "environment">, settings: SendSettings, signal: AbortSignal) {
    this.sent = sent;
    this.#connection = connection;
    this.#settings = settings;
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
  }

  /** Begins to send. */
  begin(): void {
    const { checkSignatures, archiveArgs, starts } = this.#settings;
    const { store, environment } = this.#connection;
    const onLine = (line: string): void => {
      if (this.#log === undefined) this.#held.push(line);
      else this.#log.output(line);
    };
    this.#sending = sendFlake(this.sent, {
      store,
      environment,
      checkSignatures,
      extraArgs: archiveArgs,
      signal: this.#signal,
      starts,
      onLine,
      onBegin: (progress) => (this.#progress = progress),
    }).catch(() => undefined);
  }

  /** Shows the copy in the log, and waits for its end. Returns what was copied; `undefined` where the flake has to be sent. */
  async end(log: HostLog): Promise<CopyProgress | undefined> {
    this.#log = log;
    for (const line of this.#held.splice(0)) log.output(line);
    if (this.#progress !== undefined) log.copying(this.#progress);
    const copied = await this.#sending;
    return this.#stop.signal.aborted ? undefined : copied;
  }

  /** Ends the sending, unless it has ended. */
  async cancel(): Promise<void> {
    this.#stop.abort();
    await this.#sending;
  }
}

/** Returns whether a flake is small enough to travel as it is: what may travel compressed waits for what the machine lacks. */
export async function isSmall(sent: SentFlake, { compress }: Pick<SendSettings, "compress">): Promise<boolean> {
  return !(await isWorthPacking(sentPaths(sent), compress).catch(() => true));
}
