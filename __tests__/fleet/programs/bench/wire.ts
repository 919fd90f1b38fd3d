/** What has passed over the connections to one machine. */
export type Passed = {
  readonly connections: number;
  readonly bytesToMachine: number;
  readonly bytesFromMachine: number;
  /** How often the runner has sent something after it had received something: each is a round trip that it may have waited for. */
  readonly turns: number;
};

/** Counts what passes over the connections to one machine. */
export class PassedCounter {
  #connections = 0;
  #bytesToMachine = 0;
  #bytesFromMachine = 0;
  #turns = 0;

  /** Counts one more connection. `sent` takes what leaves the runner, `received` what has reached it, each at that moment. */
  connection(): { readonly sent: (bytes: number) => void; readonly received: (bytes: number) => void } {
    this.#connections += 1;
    let hasAnswer = true;
    return {
      sent: (bytes) => {
        if (hasAnswer) this.#turns += 1;
        hasAnswer = false;
        this.#bytesToMachine += bytes;
      },
      received: (bytes) => {
        hasAnswer = true;
        this.#bytesFromMachine += bytes;
      },
    };
  }

  /** Returns what has passed since it was asked last. */
  take(): Passed {
    const passed = { connections: this.#connections, bytesToMachine: this.#bytesToMachine, bytesFromMachine: this.#bytesFromMachine, turns: this.#turns };
    this.#connections = 0;
    this.#bytesToMachine = 0;
    this.#bytesFromMachine = 0;
    this.#turns = 0;
    return passed;
  }
}
