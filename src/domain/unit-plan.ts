/**
 * What an activation does, or would do, to systemd's units, by name. Taken from the activation itself, from `dry-activate`,
 * or only from a comparison of the unit files.
 */
export type UnitPlan = {
  readonly source: "activation" | "rehearsal" | "unit-files";
  readonly stop: readonly string[];
  readonly start: readonly string[];
  /** Includes units that are stopped and started again, which is how most services are restarted. */
  readonly restart: readonly string[];
  readonly reload: readonly string[];
  /** Not new and not running, but started because an active target wants it: mostly oneshots without RemainAfterExit. */
  readonly again: readonly string[];
  /** Changed, but left running as it is. */
  readonly keep: readonly string[];
  /** systemd executes itself again. */
  readonly reexecutes: boolean;
  /** Why NixOS would refuse `switch` and `test`, a sentence each: `systemd: 260 -> 261`. */
  readonly inhibitors: readonly string[];
};

/** The actions in the order in which they are shown. */
export const unitActions = ["stop", "restart", "reload", "start", "again", "keep"] as const;

type Action = (typeof unitActions)[number];

// The lines of switch-to-configuration (nixpkgs), in Perl up to 24.05 and in Rust since: `would stop the following units: a.service,
// b.service`. A real activation prints the same without "would" and with another verb.
const lines: readonly (readonly [RegExp, Action])[] = [
  [/^(?:would stop|stopping) the following units: (.+)$/, "stop"],
  [/^(?:would NOT stop|NOT restarting) the following changed units: (.+)$/, "keep"],
  [/^(?:would reload|reloading) the following units: (.+)$/, "reload"],
  [/^(?:would restart|restarting) the following units: (.+)$/, "restart"],
  [/^(?:would start|starting) the following units: (.+)$/, "start"],
  // Units that were started as dependencies.
  [/^the following new units were started: (.+)$/, "start"],
  [/^(?:would stop|stopping) (swap device: .+)$/, "stop"],
];

const reexecution = /^(?:would restart systemd|restarting systemd\.\.\.)$/;

// A unit's name has at most 255 characters (systemd.unit(5)); a plan with more units is not readable.
const longestName = 255;
export const mostUnits = 1000;

/** Parses a plan from the output of switch-to-configuration, line by line; other lines are ignored. */
export class UnitPlanReader {
  readonly #found: Readonly<Record<Action, Set<string>>> = {
    stop: new Set(),
    start: new Set(),
    restart: new Set(),
    reload: new Set(),
    again: new Set(),
    keep: new Set(),
  };
  #any = false;
  #reexecutes = false;

  read(line: string): void {
    if (/^(?:would activate|activating) the configuration\.\.\.$/.test(line)) this.#any = true;
    if (reexecution.test(line)) this.#reexecutes = true;
    for (const [pattern, action] of lines) {
      const match = pattern.exec(line);
      if (match === null) continue;
      this.#any = true;
      const found = this.#found[action];
      for (const name of (match[1] ?? "").split(", ")) if (name !== "" && name.length <= longestName && found.size < mostUnits) found.add(name);
    }
  }

  /** The plan so far; `undefined` where the output mentioned none. */
  plan(source: "activation" | "rehearsal"): UnitPlan | undefined {
    if (!this.#any) return undefined;
    const { stop, start, restart, reload, again: ranAgain, keep } = this.#found;
    const again = [...stop].filter((unit) => start.has(unit));
    const restarted = new Set([...restart, ...again]);
    return {
      source,
      stop: [...stop].filter((unit) => !restarted.has(unit)),
      start: [...start].filter((unit) => !restarted.has(unit)),
      restart: [...restarted].toSorted(),
      reload: [...reload],
      again: [...ranAgain],
      keep: [...keep],
      reexecutes: this.#reexecutes,
      inhibitors: [],
    };
  }
}

/** Returns whether the plan touches no unit. */
export function touchesNoUnit(plan: UnitPlan): boolean {
  return !plan.reexecutes && unitActions.every((action) => plan[action].length === 0);
}

/**
 * Adds to the plan of `dry-activate` what it omits: units that systemd starts with their target, oneshots that run again, units
 * that stop or restart with another one or with sysinit-reactivation.target, and inhibitors.
 */
export function withCompared(rehearsal: UnitPlan, compared: UnitPlan | undefined): UnitPlan {
  if (compared === undefined) return rehearsal;
  const known = new Set(unitActions.flatMap((action) => rehearsal[action]));
  const both = (action: "stop" | "restart" | "start" | "again"): string[] => [...rehearsal[action], ...compared[action].filter((unit) => !known.has(unit))];
  return { ...rehearsal, stop: both("stop"), restart: both("restart"), start: both("start"), again: both("again"), inhibitors: compared.inhibitors };
}
