/** What happens when a run is cancelled. */
export type CancellationHandlers = {
  /** At the first signal, before the work's own signal is aborted. */
  readonly onFirst: (signal: NodeJS.Signals) => void;
  /** At a second SIGINT; the run ends when this has. */
  readonly onSecond: () => Promise<void>;
};

// 128 and the number of SIGINT, as a shell has it.
const interrupted = 130;

/**
 * Runs work that signals cancel, and returns its exit code. GitHub's runner sends SIGINT, 7.5 s later SIGTERM and 2.5 s later kills
 * the process tree: the first signal begins an orderly end, a second SIGINT ends at once, with exit code 130.
 */
export async function runCancellable(work: (cancelled: AbortSignal) => Promise<number>, { onFirst, onSecond }: CancellationHandlers): Promise<number> {
  const controller = new AbortController();
  let isEndingAtOnce = false;
  let endAtOnce: () => void = () => undefined;
  const atOnce = new Promise<void>((resolve) => (endAtOnce = resolve)).then(onSecond).then(() => interrupted);
  const handle = (signal: NodeJS.Signals): void => {
    if (!controller.signal.aborted) {
      onFirst(signal);
      controller.abort();
    } else if (signal === "SIGINT") {
      isEndingAtOnce = true;
      endAtOnce();
    }
  };
  // Without its connections, the work may end before the second handler does.
  const toItsEnd = async (): Promise<number> => {
    const exitCode = await work(controller.signal);
    return isEndingAtOnce ? interrupted : exitCode;
  };
  process.on("SIGINT", handle);
  process.on("SIGTERM", handle);
  try {
    return await Promise.race([toItsEnd(), atOnce]);
  } finally {
    process.off("SIGINT", handle);
    process.off("SIGTERM", handle);
  }
}
