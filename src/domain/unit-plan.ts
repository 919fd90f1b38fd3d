/**
 * What an activation does, or would do, to the units of systemd, each by its name. Known from the activation itself, from its
 * rehearsal (`dry-activate`), or only from a comparison of the unit files.
 */
export type UnitPlan = {
  readonly source: "activation" | "rehearsal" | "unit-files";
  readonly stop: readonly string[];
  readonly start: readonly string[];
  /** Also what is stopped and started again, which is how most services are restarted; systemd itself is `systemd`. */
  readonly restart: readonly string[];
  readonly reload: readonly string[];
  /** Changed, but left running as it is. */
  readonly keep: readonly string[];
};

type Action = Exclude<keyof UnitPlan, "source">;

/** The actions in the order in which they are told. */
export const unitActions = ["stop", "restart", "reload", "start", "keep"] as const satisfies readonly Action[];

// The lines of switch-to-configuration (nixpkgs), in Perl up to 24.05 and in Rust since: `would stop the following units: a.service,
// b.service`. What it says before it does it has no "would", and another verb.
const lines: readonly (readonly [RegExp, Action])[] = [
  [/^(?:would stop|stopping) the following units: (.+)$/, "stop"],
  [/^(?:would NOT stop|NOT restarting) the following changed units: (.+)$/, "keep"],
  [/^(?:would reload|reloading) the following units: (.+)$/, "reload"],
  [/^(?:would restart|restarting) the following units: (.+)$/, "restart"],
  [/^(?:would start|starting) the following units: (.+)$/, "start"],
  // What came up beside, as a dependency of those that were started.
  [/^the following new units were started: (.+)$/, "start"],
  [/^(?:would stop|stopping) (swap device: .+)$/, "stop"],
  [/^(?:would restart|restarting) (systemd)(?:\.\.\.)?$/, "restart"],
];

// A unit's name has at most 255 characters (systemd.unit(5)); more units than these are no plan that anybody reads.
const longestName = 255;
const mostUnits = 1000;

/** Reads a plan from what switch-to-configuration prints, line by line; other lines are passed over. */
export class UnitPlanReader {
  readonly #found: Readonly<Record<Action, Set<string>>> = { stop: new Set(), start: new Set(), restart: new Set(), reload: new Set(), keep: new Set() };
  #any = false;

  read(line: string): void {
    if (/^(?:would activate|activating) the configuration\.\.\.$/.test(line)) this.#any = true;
    for (const [pattern, action] of lines) {
      const match = pattern.exec(line);
      if (match === null) continue;
      this.#any = true;
      const found = this.#found[action];
      for (const name of (match[1] ?? "").split(", ")) if (name !== "" && name.length <= longestName && found.size < mostUnits) found.add(name);
    }
  }

  /** The plan so far; `undefined` where nothing was said of any. */
  plan(source: "activation" | "rehearsal"): UnitPlan | undefined {
    if (!this.#any) return undefined;
    const { stop, start, restart, reload, keep } = this.#found;
    const again = [...stop].filter((unit) => start.has(unit));
    const restarted = new Set([...restart, ...again]);
    return {
      source,
      stop: [...stop].filter((unit) => !restarted.has(unit)),
      start: [...start].filter((unit) => !restarted.has(unit)),
      restart: [...restarted].toSorted(),
      reload: [...reload],
      keep: [...keep],
    };
  }
}

/** Tells whether the plan touches no unit. */
export function touchesNoUnit(plan: UnitPlan): boolean {
  return unitActions.every((action) => plan[action].length === 0);
}

/** A unit whose file is not the same in two systems. */
export type UnitFileChange = {
  readonly name: string;
  readonly change: "gone" | "new" | "changed";
  /** It runs; for a new one: another unit wants it. */
  readonly live: boolean;
  /** What the new unit asks for when it has changed. */
  readonly policy: "reload" | "keep" | "restart";
};

/**
 * The plan as the unit files have it, by the main rules of switch-to-configuration: what runs and is gone is stopped, what runs
 * and has changed is restarted unless it asks for something else, and what is new is started where another unit wants it.
 */
export function planOf(changes: readonly UnitFileChange[]): UnitPlan {
  const live = changes.filter((change) => change.live);
  const named = (wanted: (change: UnitFileChange) => boolean): string[] => live.flatMap((change) => (wanted(change) ? [change.name] : []));
  const changed = (policy: UnitFileChange["policy"]): string[] => named((unit) => unit.change === "changed" && unit.policy === policy);
  return {
    source: "unit-files",
    stop: named(({ change }) => change === "gone"),
    start: named(({ change }) => change === "new"),
    restart: changed("restart"),
    reload: changed("reload"),
    keep: changed("keep"),
  };
}

/** A rehearsal with the units that are new: systemd starts them with their target, of which `dry-activate` says nothing. */
export function withNewUnits(rehearsal: UnitPlan, compared: UnitPlan | undefined): UnitPlan {
  const known = new Set(unitActions.flatMap((action) => rehearsal[action]));
  return { ...rehearsal, start: [...rehearsal.start, ...(compared?.start ?? []).filter((unit) => !known.has(unit))] };
}
