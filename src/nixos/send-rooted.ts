/** Makes roots for store paths on a machine, and sends the paths. */
export type RootedSending<T> = {
  /** Makes the roots, which may be there before their paths, and calls `onRooted` when they are. What it does then may take longer. */
  readonly root: (onRooted: () => void) => Promise<void>;
  readonly send: (signal: AbortSignal) => Promise<T>;
};

/**
 * Sends store paths while their roots are made. Nix on the machine protects a path that arrives until the sending has ended. If the roots
 * were made later than that, the paths are sent again, because a garbage collection may have deleted them in between.
 *
 * Roots that cannot be made stop the sending, and their error is thrown. A failed sending waits for the roots: what makes them would
 * otherwise go on beside the clean-up.
 */
export async function sendRooted<T>({ root, send }: RootedSending<T>, signal: AbortSignal): Promise<T> {
  const own = new AbortController();
  let rooted = false;
  const rooting = root(() => (rooted = true)).catch((error: unknown) => {
    own.abort();
    throw error;
  });
  const [made, sent] = await Promise.allSettled([rooting, send(AbortSignal.any([signal, own.signal])).then((value) => ({ value, inTime: rooted }))]);
  if (made.status === "rejected") throw made.reason;
  if (sent.status === "rejected") throw sent.reason;
  return sent.value.inTime ? sent.value.value : await send(signal);
}
