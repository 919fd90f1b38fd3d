import type { Phase } from "../domain/phase.js";
import { isFailure, type HostResult } from "../domain/result.js";
import type { Target } from "../domain/target.js";
import type { HostLog, RunLog } from "../deploy/ports.js";
import type { WorkflowLog } from "./workflow-log.js";

// Lines of one host that its group keeps from the beginning, and from the end.
const keptAtBeginning = 5000;
const keptAtEnd = 20_000;

/** Streams every host's lines with its name in front, and puts each host's whole log into a group when it is done. */
export class WorkflowRunLog implements RunLog {
  readonly #log: WorkflowLog;
  readonly #hosts = new Map<string, HostLines>();
  readonly #phases = new Map<string, Phase>();

  constructor(log: WorkflowLog) {
    this.#log = log;
  }

  host(target: Target): HostLog {
    const { name } = target;
    const lines = this.#hosts.get(name) ?? new HostLines();
    this.#hosts.set(name, lines);
    const line = (text: string): void => {
      lines.push(text);
      this.#log.line(`[${name}] ${text}`);
    };
    return {
      phase: (phase) => {
        this.#phases.set(name, phase);
        line(`== ${phase}`);
      },
      output: line,
      note: line,
      warn: (text) => {
        lines.push(`warning: ${text}`);
        this.#log.annotate("warning", name, text);
      },
    };
  }

  /** Says which machine is in which phase, for a run that ends before they do. */
  whereabouts(): string {
    if (this.#phases.size === 0) return "No machine was being worked on.";
    const lines = [...this.#phases].map(([name, phase]) => `${name}: ${phase}${phase === "activate" ? " (the activation goes on on the machine)" : ""}`);
    return ["Machines that were being worked on, and their phase:", ...lines].join("\n");
  }

  done(result: HostResult): void {
    const { name, status, seconds, error } = result;
    if (error !== undefined) for (const line of error.split("\n")) this.#log.line(`[${name}] ${line}`);
    this.#log.line(`[${name}] ${status} after ${seconds} s`);
    this.#log.group(`${isFailure(status) ? "✗" : "✓"} ${name}: ${status}`, this.#hosts.get(name)?.all() ?? []);
    this.#hosts.delete(name);
    this.#phases.delete(name);
  }
}

/** The lines of one host, without the middle of a very long log. */
class HostLines {
  readonly #beginning: string[] = [];
  #end: string[] = [];
  #dropped = 0;

  push(line: string): void {
    if (this.#beginning.length < keptAtBeginning) {
      this.#beginning.push(line);
      return;
    }
    this.#end.push(line);
    if (this.#end.length > 2 * keptAtEnd) {
      this.#dropped += this.#end.length - keptAtEnd;
      this.#end = this.#end.slice(-keptAtEnd);
    }
  }

  *all(): Iterable<string> {
    yield* this.#beginning;
    if (this.#dropped > 0) yield `… ${this.#dropped} lines are left out here; they stand above, as they came …`;
    yield* this.#end;
  }
}
