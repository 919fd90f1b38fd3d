import { listed } from "./listed.js";
import { unitActions, type UnitPlan } from "./unit-plan.js";

// An update of nixpkgs may change hundreds of units.
const mostNamed = 20;

const verbs = {
  stop: "stop",
  restart: "restart",
  reload: "reload",
  start: "start",
  again: "run again",
  keep: "not restart despite changes",
} as const satisfies Record<(typeof unitActions)[number], string>;

/** Describes in the lines of a log what a switch would do to units; no line where it is unknown, or nothing. */
export function renderPlanLines(plan: UnitPlan | undefined): string[] {
  if (plan === undefined) return [];
  const units = unitActions.flatMap((action) => {
    const names = plan[action];
    return names.length === 0 ? [] : [`  would ${verbs[action]}: ${listed(names, mostNamed)}`];
  });
  const lines = [...units, ...(plan.reexecutes ? ["  systemd would be re-executed"] : [])];
  return [...(lines.length === 0 ? [] : ["units:", ...lines]), ...plan.inhibitors.map(inhibitionOf)];
}

function inhibitionOf(inhibitor: string): string {
  return `switch inhibitor: ${inhibitor}: switch and test would be refused; use operation: boot, then reboot the machine`;
}
