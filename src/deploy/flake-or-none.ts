import { briefReason, NoFlakeError } from "../domain/errors.js";
import type { SentFlake } from "../domain/flake.js";

/**
 * Has a run end with a `NoFlakeError` where its flake cannot be fetched: the flake rejects with it, and the signal is aborted with it,
 * as hosts that are being connected need not go on.
 */
export function flakeOrNone(
  fetching: Promise<SentFlake> | undefined,
  cancelled: AbortSignal,
): {
  readonly flake: Promise<SentFlake> | undefined;
  readonly signal: AbortSignal;
} {
  const noFlake = new AbortController();
  const flake = fetching?.catch((error: unknown) => {
    const noFlakeError = new NoFlakeError(`the flake could not be fetched (${briefReason(error)})`, { cause: error });
    noFlake.abort(noFlakeError);
    throw noFlakeError;
  });
  // It may reject before, or without, any host that waits for it.
  flake?.catch(() => undefined);
  return { flake, signal: AbortSignal.any([cancelled, noFlake.signal]) };
}
