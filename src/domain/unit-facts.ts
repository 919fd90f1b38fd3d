/** A value of the running system and of the new one. */
export type Pair<T> = { readonly before: T; readonly after: T };

/** A difference between the two files of a unit, drop-ins included; `key` is undefined where a whole section came or went. */
export type UnitFileChange = {
  readonly change: "added" | "removed" | "changed";
  readonly section: string;
  readonly key: string | undefined;
};

/** A unit that runs and comes from /etc/systemd/system, and whose file is gone or has changed; targets also without a change. */
export type ManagedUnit = {
  readonly name: string;
  /** `gone` is also a masked unit, and an instance without its last drop-in. */
  readonly file: "gone" | "present";
  readonly changes: readonly UnitFileChange[];
  /** The settings that decide, by `SECTION KEY`; of the new file, or of the old one where the unit is gone. */
  readonly settings: ReadonlyMap<string, string>;
};

/** What decides about the units of a machine that is to switch to another system. */
export type UnitFacts = {
  /** Paths of systemd's program and of its system.conf; empty where there is none. */
  readonly systemd: Pair<string>;
  readonly config: Pair<string>;
  /** Text of `switch-inhibitors`, a JSON object; empty where there is none. */
  readonly inhibitors: Pair<string>;
  /** Lines of fstab(5). */
  readonly fstab: Pair<readonly string[]>;
  /** What a killed switch has left undone. */
  readonly left: { readonly start: readonly string[]; readonly restart: readonly string[]; readonly reload: readonly string[] };
  /** Units that are not inactive, with systemd's ActiveState. */
  readonly active: ReadonlyMap<string, string>;
  /** Units that are: `never` was not started, `unmet` has conditions that were not met, `ran` is over. */
  readonly idle: ReadonlyMap<string, "never" | "unmet" | "ran">;
  readonly aliases: ReadonlyMap<string, string>;
  /** What systemd stops when it stops a unit, because it requires the unit, is bound to it or is a part of it. */
  readonly stopsWith: ReadonlyMap<string, readonly string[]>;
  readonly managed: readonly ManagedUnit[];
  /** Socket units in /etc/systemd/system of the new system. */
  readonly sockets: ReadonlySet<string>;
  /** Unit files that only the new system has. */
  readonly added: ReadonlySet<string>;
  /** In the new system: what systemd starts when it starts a unit, and exists; and the parts of a unit. */
  readonly pulls: ReadonlyMap<string, readonly string[]>;
  readonly parts: ReadonlyMap<string, readonly string[]>;
};
