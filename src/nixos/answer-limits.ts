import type { CommandFailure } from "../domain/errors.js";
import { followsJob, type ScriptName } from "./script-files.js";
import { beginSeconds, scriptSeconds, silentSeconds } from "./script-limits.js";
import type { Session } from "./session.js";

/** A call of a script, as far as it is limited. */
export type LimitedCall = {
  readonly script: ScriptName;
  /** Seconds; without it those of `scriptSeconds`. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** Ends the session of a script that exceeds a limit, or whose call is aborted. */
export class AnswerLimits {
  readonly #session: Session;
  readonly #signal: AbortSignal | undefined;
  readonly #begin: NodeJS.Timeout;
  readonly #whole: NodeJS.Timeout | undefined;
  readonly #silence: NodeJS.Timeout | undefined;
  #exceeded: CommandFailure | undefined;

  constructor({ script, timeout, signal }: LimitedCall, session: Session) {
    this.#session = session;
    this.#signal = signal;
    const isFollowing = followsJob(script);
    const seconds = timeout ?? (isFollowing ? 0 : scriptSeconds(script));
    this.#begin = setTimeout(() => this.stop({ kind: "timeout", seconds: beginSeconds }), beginSeconds * 1000);
    this.#whole = seconds > 0 ? setTimeout(() => this.stop({ kind: "timeout", seconds }), seconds * 1000) : undefined;
    this.#silence = isFollowing ? setTimeout(() => this.#silent(), silentSeconds * 1000) : undefined;
    signal?.addEventListener("abort", this.#abort, { once: true });
  }

  /** The limit that was exceeded first, unless the call was aborted. */
  get exceeded(): CommandFailure | undefined {
    return this.#signal?.aborted === true ? undefined : this.#exceeded;
  }

  /** The script has begun. */
  begun(): void {
    clearTimeout(this.#begin);
  }

  /** Something was received. */
  received(): void {
    this.#silence?.refresh();
  }

  stop(failure: CommandFailure): void {
    // ncc does not find the files of a module that has the operator ??= in it.
    if (this.#exceeded === undefined) this.#exceeded = failure;
    this.#session.kill();
  }

  /** The script has ended. */
  end(): void {
    for (const timer of [this.#begin, this.#whole, this.#silence]) clearTimeout(timer);
    this.#signal?.removeEventListener("abort", this.#abort);
  }

  readonly #abort = (): void => this.#session.kill();

  #silent(): void {
    // What is held up here is not silent.
    if (this.#session.isHeld) this.#silence?.refresh();
    else this.stop({ kind: "silent", seconds: silentSeconds });
  }
}
