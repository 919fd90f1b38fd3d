import { planMounts } from "./file-systems.js";
import type { UnitFacts } from "./unit-facts.js";

/** What switch-to-configuration itself decides; what systemd does in addition follows from it. */
export type Decision = {
  readonly stop: Set<string>;
  readonly start: Set<string>;
  readonly restart: Set<string>;
  readonly reload: Set<string>;
  readonly keep: Set<string>;
  /** Active targets: every switch starts them, so they are not shown. */
  readonly targets: Set<string>;
};

/** What happens to units, each in one set. */
export type Jobs = Readonly<Record<"stop" | "start" | "restart" | "reload" | "again" | "keep", ReadonlySet<string>>>;

/** What each switch starts again: it runs nothing itself, and only the first switch after a boot lists it as started. */
export const reactivation = "sysinit-reactivation.target";

/**
 * Returns what systemd does during a switch: it stops units that depend on a stopped unit, and starting a target, as each switch
 * does with all active ones, starts every unit that the target wants and that is not running: new ones, and those that have ended.
 */
export function simulateJobs(decision: Decision, facts: UnitFacts): Jobs {
  const { active, parts, fstab } = facts;
  const running = (unit: string): boolean => active.has(unit) && !["failed", "deactivating"].includes(active.get(unit) ?? "");
  const below = (units: Iterable<string>): Set<string> => closure(units, (unit) => (facts.stopsWith.get(unit) ?? []).filter(running));

  const stopped = below([...decision.stop].filter((unit) => running(unit) || unit.startsWith("swap device: ")));
  const restarted = below([...decision.restart, ...(parts.get(reactivation) ?? []).filter(running)]);
  const roots = [...decision.targets, reactivation, ...decision.start, ...restarted];
  const pulled = closure(roots, (unit) => pulledBy(unit, facts));
  for (const unit of planMounts(fstab).start) pulled.add(unit);
  // Reloading what was stopped with another unit would fail; it is started.
  for (const unit of decision.reload) if (stopped.has(unit)) pulled.add(unit);

  const jobs = { stop: new Set<string>(), start: new Set<string>(), restart: new Set<string>(), reload: new Set<string>(), again: new Set<string>() };
  for (const unit of stopped) (pulled.has(unit) ? jobs.restart : jobs.stop).add(unit);
  for (const unit of restarted) if (running(unit)) jobs.restart.add(unit);
  for (const unit of pulled) {
    const how = running(unit) ? undefined : startOf(unit, facts);
    if (how !== undefined) jobs[how].add(unit);
  }
  for (const unit of decision.reload) if (!jobs.restart.has(unit) && !jobs.stop.has(unit)) jobs.reload.add(unit);
  const silent = (unit: string): boolean => decision.targets.has(unit) || unit === reactivation || unit.endsWith(".slice");
  const shown = (units: ReadonlySet<string>): ReadonlySet<string> => new Set([...units].filter((unit) => !silent(unit)));
  return {
    stop: shown(jobs.stop),
    start: shown(jobs.start),
    restart: shown(jobs.restart),
    reload: jobs.reload,
    again: shown(jobs.again),
    keep: new Set([...decision.keep].filter((unit) => !jobs.restart.has(unit) && !jobs.stop.has(unit))),
  };
}

/** How a unit that does not run is started: for the first time, again, or not at all where its conditions are not met. */
function startOf(unit: string, { idle, active, added }: UnitFacts): "start" | "again" | undefined {
  if (added.has(unit)) return "start";
  const result = idle.get(unit);
  if (result === "unmet") return undefined;
  return result === "ran" || active.has(unit) ? "again" : "start";
}

function pulledBy(unit: string, { pulls, aliases }: UnitFacts): string[] {
  // An instance without a file of its own has the dependencies of its template.
  const own = pulls.get(unit);
  const units = own ?? pulls.get(unit.replace(/@[^.]*\./, "@.")) ?? [];
  return units.filter((name) => !name.includes("%")).map((name) => aliases.get(name) ?? name);
}

function closure(units: Iterable<string>, next: (unit: string) => readonly string[]): Set<string> {
  const found = new Set(units);
  // Iterating over a set includes elements added during the iteration.
  for (const unit of found) for (const other of next(unit)) found.add(other);
  return found;
}
