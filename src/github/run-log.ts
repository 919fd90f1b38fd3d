import type { HostLog, RunLog } from "../deploy/ports.js";
import type { CopyProgress } from "../domain/copy-progress.js";
import { renderFailure } from "../domain/failure.js";
import type { Phase } from "../domain/phase.js";
import type { HostResult } from "../domain/result.js";
import type { Target } from "../domain/target.js";
import { HostLines } from "../report/host-lines.js";
import { batchLine, doneLine, doneTitle, endedLine, runningHostsText, workLine, type HostPlace } from "../report/progress.js";
import { seeAlso } from "../report/troubleshooting.js";
import type { WorkflowLog } from "./workflow-log.js";

// With more hosts, the output of the machines would hide the progress: it is then only in the groups.
const mostStreamed = 8;
// Milliseconds without any line, and without a line about progress while machines print output, after which a line shows what
// is still running.
const silence = 15_000;
const talk = 60_000;

/** Where a host is. */
type Place = { phase: Phase; since: number; over: boolean; copying: (() => CopyProgress) | undefined };

/**
 * Shows the progress of a run: a line whenever a host has ended a phase (`[7/50] web3: built in 12 s`, the seventh to do so),
 * a line about what is running after a silence, or after a long time of output from machines only, and each host's whole log in
 * a group when it is done. With few hosts, their lines are also streamed, prefixed with the name.
 */
export class WorkflowRunLog implements RunLog {
  readonly #log: WorkflowLog;
  readonly #hosts = new Map<string, HostLines>();
  readonly #places = new Map<string, Place>();
  readonly #counts = new Map<Phase | "done", number>();
  readonly #done = new Set<string>();
  #total = 1;
  #begin = performance.now();
  #lastLine = performance.now();
  #lastProgress = performance.now();
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(log: WorkflowLog) {
    this.#log = log;
  }

  begin(hosts: number): void {
    this.#total = hosts;
    this.#begin = performance.now();
    this.#heartbeat = setInterval(() => this.#beat(), 1000);
    this.#heartbeat.unref();
  }

  end(): void {
    clearInterval(this.#heartbeat);
  }

  host(target: Target): HostLog {
    const { name } = target;
    const lines = this.#hosts.get(name) ?? new HostLines();
    this.#hosts.set(name, lines);
    const line = (text: string): void => {
      lines.push(text);
      if (this.#total <= mostStreamed) this.#streamed(`[${name}] ${text}`);
    };
    return {
      phase: (phase) => {
        const place = this.#places.get(name);
        // A phase that is tried again goes on.
        if (place?.phase !== phase || place.over) this.#places.set(name, { phase, since: performance.now(), over: false, copying: undefined });
        line(`== ${phase}`);
      },
      ended: (detail) => {
        const place = this.#places.get(name);
        if (place === undefined) return;
        place.over = true;
        this.#line(`${this.#count(place.phase)} ${endedLine(placeAt(name, place), detail)}`);
      },
      copying: (progress) => {
        const place = this.#places.get(name);
        if (place !== undefined) place.copying = progress;
      },
      output: line,
      note: (text, topic) => {
        for (const each of [text, ...seeAlso(topic, this.#log.linkTo)]) line(each);
      },
      warn: (text, topic) => {
        lines.push(`warning: ${text}`);
        this.#log.annotate("warning", name, [text, ...seeAlso(topic, this.#log.linkTo)].join("\n"));
      },
    };
  }

  batch(number: number, batches: number, names: readonly string[]): void {
    this.#line(batchLine(number, batches, names));
  }

  /** Renders which host is in which phase, for a run that ends early. */
  runningHosts(): string {
    return runningHostsText(this.#allPlaces());
  }

  done(result: HostResult): void {
    const { name, error } = result;
    if (error !== undefined) {
      const text = [renderFailure(error), ...seeAlso(error.topic, this.#log.linkTo)].join("\n");
      for (const line of text.split("\n")) this.#line(`[${name}] ${line}`);
    }
    // A result may be corrected; the host is not counted again.
    const count = this.#done.has(name) ? `[${this.#done.size}/${this.#total}]` : this.#count("done");
    this.#done.add(name);
    this.#line(`${count} ${doneLine(result)}`);
    this.#log.group(doneTitle(result), this.#hosts.get(name)?.all() ?? []);
    this.#hosts.delete(name);
    this.#places.delete(name);
  }

  #line(text: string): void {
    this.#lastProgress = performance.now();
    this.#streamed(text);
  }

  #streamed(text: string): void {
    this.#lastLine = performance.now();
    this.#log.line(text);
  }

  /** `[7/50]`: how many of the hosts have got so far. */
  #count(what: Phase | "done"): string {
    const count = (this.#counts.get(what) ?? 0) + 1;
    this.#counts.set(what, count);
    return `[${count}/${this.#total}]`;
  }

  #beat(): void {
    const now = performance.now();
    if (now - this.#lastLine < silence && now - this.#lastProgress < talk) return;
    const line = workLine(this.#allPlaces(), secondsSince(this.#begin));
    if (line !== undefined) this.#line(line);
  }

  #allPlaces(): HostPlace[] {
    return [...this.#places].map(([name, place]) => placeAt(name, place));
  }
}

function placeAt(name: string, { phase, since, over, copying }: Place): HostPlace {
  return { name, phase, seconds: secondsSince(since), over, copied: copying?.() };
}

function secondsSince(since: number): number {
  return (performance.now() - since) / 1000;
}
