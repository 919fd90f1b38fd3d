import { setTimeout as sleep } from "node:timers/promises";

import { DeployError } from "../domain/errors.js";

export type RetryOptions = { readonly retries: number; readonly note: (text: string) => void; readonly signal: AbortSignal };

/** Does something, and retries it after network failures: 1, 2, 4, … seconds later. `work` gets the number of tries before. Throws as it does. */
export async function retried<T>(work: (tries: number) => Promise<T>, { retries, note, signal }: RetryOptions): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await work(tries);
    } catch (error) {
      if (!(error instanceof DeployError) || !error.unreachable || tries >= retries) throw error;
      const seconds = 2 ** tries;
      note(`${error.reason}; retrying in ${seconds} s (${tries + 1} of ${retries})`);
      await sleep(seconds * 1000, undefined, { signal });
    }
  }
}
