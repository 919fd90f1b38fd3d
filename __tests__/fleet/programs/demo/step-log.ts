import { setTimeout as sleep } from "node:timers/promises";

import type { RunningStep, StepResult } from "../../rig/runner.js";
import { workflowCommands } from "../../rig/workflow-commands.js";

/** Hands on a step's log while it runs, a line at a time, as GitHub's page shows it. */
export async function followLog(step: RunningStep, print: (line: string) => void): Promise<StepResult> {
  const log = new StepLog(print);
  let seen = 0;
  const advance = (end: number): void => {
    for (const line of step.output().slice(seen, end).split("\n").slice(0, -1)) log.read(line);
    seen = Math.max(seen, end);
  };
  while (step.running()) {
    advance(step.output().lastIndexOf("\n") + 1);
    await sleep(50);
  }
  const result = await step.finished;
  advance(step.output().length);
  return result;
}

/** Reads the workflow commands in a log: groups are folded, annotations stand out, what the runner keeps to itself is gone. */
class StepLog {
  readonly #print: (line: string) => void;
  /** Set while commands are not obeyed. */
  #token: string | undefined;
  #group: { readonly title: string; lines: number } | undefined;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  read(line: string): void {
    if (this.#token !== undefined) {
      if (line === `::${this.#token}::`) this.#token = undefined;
      else this.#text(line);
      return;
    }
    this.#token = /^::stop-commands::(.+)$/.exec(line)?.[1];
    if (this.#token !== undefined) return;
    const [command] = workflowCommands(line);
    switch (command?.name) {
      case undefined:
        this.#text(line);
        break;
      case "group":
        this.#group = { title: command.message, lines: 0 };
        break;
      case "endgroup":
        if (this.#group !== undefined) this.#print(`▸ ${this.#group.title} (${this.#group.lines} lines, folded)`);
        this.#group = undefined;
        break;
      case "error":
      case "warning":
      case "notice":
        this.#print(`${command.name.toUpperCase()} ${command.properties["title"] ?? ""}: ${command.message}`);
        break;
      default:
    }
  }

  #text(line: string): void {
    if (this.#group === undefined) this.#print(line);
    else this.#group.lines += 1;
  }
}
