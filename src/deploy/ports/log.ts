import type { CopyProgress } from "../../domain/copy-progress.js";
import type { Phase } from "../../domain/phase.js";
import type { HostResult } from "../../domain/result.js";
import type { Target } from "../../domain/target.js";
import type { Topic } from "../../domain/topic.js";

/** Where a host's progress goes. */
export type HostLog = {
  /** A phase begins. */
  phase(phase: Phase): void;
  /** The phase has succeeded; `detail` is its result in a few words. */
  ended(detail?: string): void;
  /** The copy has started; `progress` returns its current state. */
  copying(progress: () => CopyProgress): void;
  /** A line that the machine, or a command that works on it, has printed. */
  output(line: string): void;
  /** A line of the action itself. */
  note(text: string, topic?: Topic): void;
  warn(text: string, topic?: Topic): void;
};

/** Where the progress of the whole run goes. */
export type RunLog = {
  /** The work on that many hosts begins. */
  begin(hosts: number): void;
  host(target: Target): HostLog;
  /** One of several batches of activations begins. */
  batch(number: number, batches: number, names: readonly string[]): void;
  /** A host is done. */
  done(result: HostResult): void;
  /** The work on all hosts has ended. */
  end(): void;
};
