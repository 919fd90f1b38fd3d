/** What a promise is rejected with, as this class. Fails where it is not. */
export async function rejection<E extends Error>(kind: abstract new (...args: never[]) => E, work: Promise<unknown>): Promise<E> {
  const outcome = await work.then(
    () => new Error("nothing was thrown"),
    (error: unknown) => error,
  );
  if (outcome instanceof kind) return outcome;
  throw outcome;
}

/** What a function throws, as this class. Fails where it does not. */
export function thrown<E extends Error>(kind: abstract new (...args: never[]) => E, work: () => unknown): E {
  try {
    work();
  } catch (error) {
    if (error instanceof kind) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
