import { planMounts } from "./file-systems.js";
import { inhibitorsOf } from "./inhibitors.js";
import { judgeChanges } from "./unit-file-change.js";
import type { ManagedUnit, UnitFacts } from "./unit-facts.js";
import { mostUnits, type UnitPlan } from "./unit-plan.js";
import { simulateJobs, type Decision } from "./unit-jobs.js";

/**
 * The plan that follows from the facts, by the rules of switch-to-configuration (nixpkgs,
 * pkgs/by-name/sw/switch-to-configuration-ng, 2026) and what systemd does then.
 */
export function planUnits(facts: UnitFacts): UnitPlan {
  const jobs = simulateJobs(decide(facts), facts);
  const bounded = (units: Iterable<string>): string[] => [...units].toSorted().slice(0, mostUnits);
  return {
    source: "unit-files",
    stop: bounded(jobs.stop),
    start: bounded(jobs.start),
    restart: bounded(jobs.restart),
    reload: bounded(jobs.reload),
    again: bounded(jobs.again),
    keep: bounded(jobs.keep),
    reexecutes: facts.systemd.before !== facts.systemd.after || facts.config.before !== facts.config.after,
    inhibitors: inhibitorsOf(facts.inhibitors),
  };
}

/** Decides about each unit that runs, as switch-to-configuration does. */
export function decide(facts: UnitFacts): Decision {
  const { start, restart, reload } = facts.left;
  const decision: Decision = {
    stop: new Set(),
    start: new Set(start),
    restart: new Set(restart),
    reload: new Set(reload),
    keep: new Set(),
    targets: new Set(),
  };
  for (const unit of facts.managed) decideUnit(unit, decision, facts);
  const mounts = planMounts(facts.fstab);
  for (const action of ["stop", "restart", "reload", "keep"] as const) for (const unit of mounts[action]) decision[action].add(unit);
  return decision;
}

function decideUnit(unit: ManagedUnit, decision: Decision, facts: UnitFacts): void {
  const { name } = unit;
  if (unit.file === "gone") {
    if (flag(unit, "Unit X-StopOnRemoval", true)) decision.stop.add(name);
    return;
  }
  if (name.endsWith(".target")) {
    decideTarget(unit, decision);
    return;
  }
  const verdict = judgeChanges(unit.changes);
  if (verdict === "restart") decideModified(unit, decision, facts);
  else if (verdict === "reload" && !decision.restart.has(name)) decision.reload.add(name);
}

const asleep = new Set(["suspend.target", "hibernate.target", "hybrid-sleep.target"]);

function decideTarget(unit: ManagedUnit, { targets, stop }: Decision): void {
  const { name } = unit;
  if (!asleep.has(name) && !flag(unit, "Unit RefuseManualStart", false) && !flag(unit, "Unit X-OnlyManualStart", false)) targets.add(name);
  if (flag(unit, "Unit X-StopOnReconfiguration", false)) stop.add(name);
}

// They are started by what depends on them; limits of slices and watched paths take effect with a daemon-reload.
const untouched = /^(?:sysinit|basic|multi-user|graphical)\.target$|\.(?:path|slice|socket)$/;

function decideModified(unit: ManagedUnit, decision: Decision, facts: UnitFacts): void {
  const { name } = unit;
  const { stop, start, restart, reload, keep } = decision;
  if (untouched.test(name)) return;
  if (name.endsWith(".mount")) {
    (name === "-.mount" || name === "nix.mount" ? reload : restart).add(name);
    return;
  }
  if (flag(unit, "Service X-ReloadIfChanged", false) && !restart.has(name) && !stop.has(name)) {
    reload.add(name);
    return;
  }
  if (!flag(unit, "Service X-RestartIfChanged", true) || flag(unit, "Unit RefuseManualStop", false) || flag(unit, "Unit X-OnlyManualStart", false)) {
    keep.add(name);
    return;
  }
  reload.delete(name);
  if (!flag(unit, "Service X-StopIfChanged", true) || !name.endsWith(".service")) {
    restart.add(name);
    return;
  }
  const activated = decideSockets(unit, decision, facts);
  stop.add(name);
  if (!activated || flag(unit, "Service X-NotSocketActivated", false)) start.add(name);
}

/** Decides about the sockets of a service that has changed. Returns whether a socket of the new system starts the service. */
function decideSockets(unit: ManagedUnit, { stop, start }: Decision, { active, sockets }: UnitFacts): boolean {
  const own = (unit.settings.get("Service Sockets") ?? "").split(/\s+/).filter((name) => name !== "");
  const byName = `${unit.name.replace(/(?:@[^.]*)?\.service$/, "")}.socket`;
  let activated = false;
  for (const socket of own.length > 0 ? own : [byName]) {
    const known = sockets.has(socket);
    if (active.has(socket)) {
      stop.add(socket);
      if (known) start.add(socket);
    }
    activated ||= known;
  }
  return activated;
}

// Only these words are true (parse_systemd_bool of switch-to-configuration).
function flag({ settings }: ManagedUnit, name: string, otherwise: boolean): boolean {
  const value = settings.get(name);
  return value === undefined ? otherwise : /^(?:1|yes|true|on)$/.test(value);
}
