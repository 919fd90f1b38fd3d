import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

import type { Passed } from "./wire.js";

/** Where the runner connects to, and the machine behind it. */
export type Route = { readonly address: string; readonly port: number; readonly machine: string; readonly machinePort: number };

export type RelayCommand = { readonly kind: "delay"; readonly milliseconds: number } | { readonly kind: "take" };

export type RelayAnswer = { readonly kind: "ready" } | { readonly kind: "passed"; readonly passed: readonly Passed[] };

/** A route as an argument of the relay's process. */
export function renderRoute({ address, port, machine, machinePort }: Route): string {
  return [address, port, machine, machinePort].join(" ");
}

/** Parses what `renderRoute` returns. */
export function parseRoute(text: string): Route {
  const [address = "", port, machine = "", machinePort] = text.split(" ");
  return { address, port: Number(port), machine, machinePort: Number(machinePort) };
}

/** A process that the connections of the runner to the machines go through. */
export class Relay {
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess) {
    this.#process = process;
  }

  static async start(routes: readonly Route[]): Promise<Relay> {
    const relay = new Relay(fork(fileURLToPath(new URL("./relay-process.js", import.meta.url)), routes.map(renderRoute)));
    await relay.#answer();
    return relay;
  }

  /** Holds back what passes from now on, in milliseconds in each direction, and a new connection for twice as long. */
  async delay(milliseconds: number): Promise<void> {
    await this.#ask({ kind: "delay", milliseconds });
  }

  /** Returns what has passed on each route since it was asked last. */
  async take(): Promise<readonly Passed[]> {
    const answer = await this.#ask({ kind: "take" });
    if (answer.kind !== "passed") throw new Error("the relay did not say what has passed");
    return answer.passed;
  }

  stop(): void {
    this.#process.disconnect();
  }

  async #ask(command: RelayCommand): Promise<RelayAnswer> {
    const answer = this.#answer();
    this.#process.send(command);
    return await answer;
  }

  async #answer(): Promise<RelayAnswer> {
    return await new Promise((resolve, reject) => {
      const exit = (): void => reject(new Error("the relay has ended"));
      this.#process.once("exit", exit);
      this.#process.once("message", (answer: RelayAnswer) => {
        this.#process.off("exit", exit);
        resolve(answer);
      });
    });
  }
}
