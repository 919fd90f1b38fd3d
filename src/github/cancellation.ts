/**
 * Turns the signals of a cancellation into an abort. GitHub's runner sends SIGINT, 7.5 s later SIGTERM and 2.5 s later kills
 * the process tree: the first signal begins an orderly end, a second SIGINT ends at once.
 */
export function abortOnSignal(onFirst: (signal: NodeJS.Signals) => void, onSecond: () => void): AbortController {
  const controller = new AbortController();
  const handle = (signal: NodeJS.Signals): void => {
    if (!controller.signal.aborted) {
      onFirst(signal);
      controller.abort();
    } else if (signal === "SIGINT") {
      onSecond();
    }
  };
  process.on("SIGINT", handle);
  process.on("SIGTERM", handle);
  return controller;
}
