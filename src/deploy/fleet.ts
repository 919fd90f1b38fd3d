import { amountOf, inBatches } from "../domain/batches.js";
import { AnswerError, DeployError, NoFlakeError } from "../domain/errors.js";
import { makeFailure, type Failure } from "../domain/failure.js";
import { listed } from "../domain/listed.js";
import { mapLimited } from "../domain/map-limited.js";
import { changesMachine } from "../domain/operation.js";
import { isFailure, type HostResult } from "../domain/result.js";
import { Host } from "./host.js";
import type { Machine, RunLog } from "./ports.js";
import type { ReadySystem } from "./preparation.js";
import type { RunSettings } from "./run-settings.js";
import type { Outcome } from "./guarded.js";
import { MachinesOfRun } from "./same-machine.js";
import { Stopwatch } from "./stopwatch.js";

/** How a run ended, as far as it came. */
export type FleetEnd = {
  readonly results: readonly HostResult[];
  /** The flake has arrived on at least one machine. */
  readonly arrived: boolean;
};

/**
 * The work on one host. `unreachable` is set where it could not be reached at the start; whether that is a failure is decided when
 * all hosts have been tried.
 */
type Work = {
  readonly host: Host;
  readonly stopwatch: Stopwatch;
  /** Built, and waiting for its activation. */
  ready: ReadySystem | undefined;
  result: HostResult | undefined;
  unreachable: Failure | undefined;
};

/**
 * Deploys to all machines: everything up to the build side by side, then, when every machine has built or failed, the
 * activations, batch after batch. A host that fails does not stop the others of its batch, but too many stop the batches
 * after it. Never throws: without a flake, which `settings.flake` or the signal reports as a `NoFlakeError`, every host is skipped.
 */
export async function deployFleet(machines: readonly Machine[], settings: RunSettings, log: RunLog): Promise<FleetEnd> {
  const { unusable } = settings;
  log.begin(machines.length + unusable.length);
  for (const result of unusable) log.done(result);
  const known = new MachinesOfRun();
  const works: Work[] = machines.map((machine) => ({
    host: new Host(machine, settings, log.host(machine.target), known),
    stopwatch: new Stopwatch(settings.timeout, settings.signal),
    ready: undefined,
    result: undefined,
    unreachable: undefined,
  }));
  const run = new FleetRun(works, known, settings, log);
  await run.prepare();
  await run.activate();
  log.end();
  return { results: [...works.flatMap((work) => work.result ?? []), ...unusable], arrived: works.some((work) => work.host.arrived) };
}

class FleetRun {
  readonly #works: readonly Work[];
  readonly #known: MachinesOfRun;
  readonly #settings: RunSettings;
  readonly #log: RunLog;

  constructor(works: readonly Work[], known: MachinesOfRun, settings: RunSettings, log: RunLog) {
    this.#works = works;
    this.#known = known;
    this.#settings = settings;
    this.#log = log;
  }

  /** Everything up to the build. */
  async prepare(): Promise<void> {
    const { maxParallel, staging } = this.#settings;
    await mapLimited(this.#works, maxParallel, async (work) => {
      await this.#step(work, async (signal) => {
        const prepared = await work.host.prepare(signal);
        if (prepared.kind === "settled") return prepared.outcome;
        // Those that wait hold as much as those that are worked on, however many they are.
        if (this.#waiting >= maxParallel) prepared.system.machine.rest();
        work.ready = prepared.system;
        return undefined;
      });
    });
    // A successful host fails, too, if another target has turned out to be the same machine.
    for (const work of this.#works) {
      const error = this.#known.objection(work.host.machine.target)?.failure;
      if (error !== undefined && (work.result === undefined || !isFailure(work.result.status))) await this.#end(work, { status: "failed", error });
    }
    // If no machine answers, the runner's network is the likely cause: such a run is never green.
    const skip = staging.onUnreachable === "skip" && this.#works.some((work) => work.unreachable === undefined);
    for (const work of this.#works) {
      if (work.unreachable !== undefined) await this.#end(work, { status: skip ? "skipped" : "failed", error: work.unreachable });
    }
  }

  /** How many hosts wait for their activation. */
  get #waiting(): number {
    return this.#works.filter(({ ready }) => ready !== undefined).length;
  }

  /** Activates what has built, in batches, as long as not too many hosts have failed. */
  async activate(): Promise<void> {
    const { operation, maxParallel, staging, signal } = this.#settings;
    const built = this.#works.flatMap((work) => (work.result === undefined && work.ready !== undefined ? [{ work, ready: work.ready }] : []));
    const batches = changesMachine(operation) ? inBatches(built, staging.batches) : [built];
    for (const [index, batch] of batches.entries()) {
      // Cancelled hosts are not failures.
      const stop = index === 0 || signal.aborted ? undefined : tooManyFailures(this.#works, this.#settings);
      if (stop !== undefined) {
        const rest = batches.slice(index).flat();
        await mapLimited(rest, maxParallel, async ({ work }) => {
          await this.#end(work, { status: "skipped", error: makeFailure({ phase: work.host.phase, ...stop }) });
        });
        return;
      }
      if (batches.length > 1 && !signal.aborted) {
        const names = batch.map(({ work }) => work.host.machine.target.name);
        this.#log.batch(index + 1, batches.length, names);
      }
      await mapLimited(batch, maxParallel, async ({ work, ready }) => {
        await this.#step(work, async (own) => await work.host.activate(ready, own));
      });
    }
  }

  /** One step of a host; an error in it ends the host's work. */
  async #step(work: Work, act: (signal: AbortSignal) => Promise<Outcome | undefined>): Promise<void> {
    const { host, stopwatch } = work;
    let outcome: Outcome | undefined;
    try {
      outcome = await stopwatch.run(act);
    } catch (error) {
      const problems: readonly unknown[] = [error, this.#settings.signal.reason];
      const noFlake = problems.find((problem) => problem instanceof NoFlakeError);
      if (noFlake !== undefined) {
        const skipped = makeFailure({ phase: host.phase, reason: `not started: ${noFlake.message}`, outcome: "Nothing has changed on the machine" });
        return await this.#end(work, { status: "skipped", error: skipped });
      }
      const neverReached = error instanceof DeployError && error.unreachable && error.phase === "connect" && !host.arrived;
      if (neverReached && !stopwatch.cancelled && this.#settings.staging.onUnreachable === "skip") {
        work.unreachable = error.failure;
        return;
      }
      outcome = { status: host.undecided ? "unknown" : "failed", error: explain(error, host, stopwatch) };
    }
    if (outcome !== undefined) await this.#end(work, outcome);
  }

  async #end(work: Work, outcome: Outcome): Promise<void> {
    await work.host.release();
    work.result = work.host.result(outcome, work.stopwatch.seconds);
    this.#log.done(work.result);
  }
}

const mostNamed = 5;

/** Why no further batch may begin. */
function tooManyFailures(works: readonly Work[], { staging, unusable }: RunSettings): Pick<Failure, "reason" | "outcome" | "topic"> | undefined {
  const failed = [...works.flatMap(({ result }) => result ?? []), ...unusable].filter(({ status }) => isFailure(status));
  const hosts = works.length + unusable.length;
  const most = amountOf(staging.maxFailures, hosts);
  if (failed.length <= most) return undefined;
  const names = failed.map(({ name, phase, status }) => `${name} (${phase}: ${status})`);
  return {
    reason: `skipped: ${failed.length} of ${hosts} hosts failed (max-failures: ${most})`,
    outcome: `Nothing has changed on the machine. Failed: ${listed(names, mostNamed)}`,
    topic: "not-activated",
  };
}

function explain(problem: unknown, host: Host, stopwatch: Stopwatch): Failure {
  const { phase, outlook: outcome } = host;
  if (problem instanceof DeployError) return host.undecided ? makeFailure({ ...problem.failure, phase, outcome }) : problem.failure;
  if (problem instanceof AnswerError) {
    const hint = "Find out what answers in the machine's place: its scripts and tools never print this";
    return makeFailure({ phase, reason: `the machine's answer cannot be used: ${problem.message}`, hint, outcome });
  }
  if (stopwatch.expired) return makeFailure({ phase, reason: `the host took longer than the timeout of ${stopwatch.limit} s`, outcome, topic: "timeout" });
  if (stopwatch.cancelled) return makeFailure({ phase, reason: "the run was cancelled", outcome });
  // An unexpected error is a bug: show its stack.
  const [reason = "", ...lines] = problem instanceof Error ? (problem.stack ?? problem.message).split("\n") : [String(problem)];
  return makeFailure({ phase, reason, lines: lines.map((line) => line.trim()) });
}
