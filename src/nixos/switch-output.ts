import type { ActivationCause } from "../domain/activation-cause.js";

/** Printed by switch.sh when it terminates a user activation that takes too long. */
const lateUser = /^nix-flake-deploy: the user activation for (\S+) timed out after \d+ s and was terminated$/;
/** Printed by switch.sh when it runs switch-to-configuration again, because a user has logged out. */
const again = /^nix-flake-deploy: a user logged out during the switch; running switch-to-configuration again$/;
/** Printed by last.sh when it cannot record the previous profile and boot loader. */
const recordFailed = /^nix-flake-deploy: the previous profile and boot loader could not be recorded$/;
/** Printed by activate.sh for a user whose own activation failed. */
const failedUser = /^nix-flake-deploy: (nixos-activation\.service) of (\S+) failed$/;
/** Printed by activate.sh and last.sh when nix-env failed. */
const profileFailed = /^nix-flake-deploy: the system profile could not be set$/;

// Lines of a journal: `systemctl status` shows them below the units that failed.
const journalLine = /^(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+) \S+ /;

/**
 * Parses the causes of failure that NixOS's switch-to-configuration (nixpkgs, in Rust since 24.11 and in Perl before) prints:
 *
 *     Pre-switch check 'switchInhibitors' failed
 *     Failed to install bootloader
 *     Activation script snippet 'setupSecrets' failed (3)
 *     Failed to start user unit agent.service
 *     warning: user activation for alice failed
 *     Failed to reload web.service
 *     warning: the following units failed: bad.service, worse.service
 *
 * Line by line, since not all of the output is kept. With exit code 0 they mean nothing: scripts print such messages for errors
 * that they ignore.
 */
export class SwitchOutputReader {
  readonly #reader = new CauseReader();
  #touched = false;
  /** The meaning of a line may depend on the next one. */
  #held: string | undefined;

  /** Whether it has printed that it stops units or activates the configuration; until then it has changed nothing. */
  get touched(): boolean {
    return this.#touched;
  }

  read(line: string): void {
    this.#touched ||= /^(?:stopping |activating the configuration\.\.\.)/.test(line);
    this.#take(line);
    this.#held = journalLine.test(line) ? undefined : line;
  }

  /** The causes so far. */
  causes(): ActivationCause[] {
    this.#take("");
    this.#held = undefined;
    return this.#reader.causes();
  }

  #take(next: string): void {
    if (this.#held !== undefined) this.#reader.read(this.#held, next);
  }
}

type UnitCause = Extract<ActivationCause, { kind: "unit" }>;

type Simple = Extract<
  ActivationCause["kind"],
  "record" | "locked" | "not-nixos" | "boot-loader" | "activation-script" | "logind" | "user-left" | "no-space" | "profile" | "other-init"
>;

const simple: readonly (readonly [RegExp, Simple])[] = [
  [recordFailed, "record"],
  [profileFailed, "profile"],
  [/^Could not acquire lock$/, "locked"],
  [/^This is not a NixOS installation!$/, "not-nixos"],
  [/^Failed to install bootloader$/, "boot-loader"],
  // The apostrophes differ between versions.
  [/^Warning: the new NixOS configuration has an .init. that is(?: incompatible|$)/u, "other-init"],
  [/^Failed to run activate script$/, "activation-script"],
  [/^Unable to list users with logind/, "logind"],
  // The program asks logind for each user that it has listed, and ends where one has gone since.
  [/^Error: Failed to get (?:GID|runtime directory) for /, "user-left"],
  [/No space left on device|Disk quota exceeded/, "no-space"],
];

// A user ends the own manager at will, and logind's units of it with that: this is the part of the user, not of the system.
const userManager = /^(?:user|user-runtime-dir)@(\d+)\.service$/;

class CauseReader {
  readonly #simple = new Set<Simple>();
  readonly #snippets: ActivationCause[] = [];
  readonly #checks: string[] = [];
  readonly #units = new Map<string, ActivationCause>();
  readonly #users = new Map<string, { units: Set<string>; late: boolean }>();
  #userUnits = new Set<string>();
  readonly #changes: string[] = [];
  #inChanges = false;

  read(line: string, next: string): void {
    for (const [pattern, kind] of simple) if (pattern.test(line)) this.#simple.add(kind);
    if (again.test(line)) this.#simple.delete("user-left");
    this.#readChecks(line);
    const snippet = /^Activation script snippet '(.+)' failed \((\d+)\)$/.exec(line);
    if (snippet !== null) this.#snippets.push({ kind: "snippet", snippet: snippet[1] ?? "", exitCode: Number(snippet[2]) });
    if (!this.#readUser(line, next)) this.#readUnits(line);
  }

  #readChecks(line: string): void {
    const check = /^Pre-switch check '(.+)' failed$/.exec(line)?.[1];
    if (check !== undefined) this.#checks.push(check);
    if (/^There are changes to critical components of the system:$/.test(line)) this.#inChanges = true;
    else if (/^Switching into this system is not recommended\.$/.test(line)) this.#inChanges = false;
    else if (this.#inChanges && line.trim() !== "") this.#changes.push(line.replace(/^- /, "").replace(" : ", ": ").trim());
  }

  /** The part of a user is printed between the lines of the system, and ends with the warning that names the user. */
  #readUser(line: string, next: string): boolean {
    if (/^reloading user units for .+\.\.\.$/.test(line)) this.#userUnits = new Set();
    const unit = /^Failed to \w+ (?:user unit (\S+?)|(nixos-activation\.service))(?::.*)?$/.exec(line);
    if (unit !== null) this.#userUnits.add(unit[1] ?? unit[2] ?? "");
    // Older versions print the sentence that is used for the system's units, too.
    const failed = /^warning: the following (user )?units failed: (.+)$/.exec(line);
    const own = failed !== null && (failed[1] !== undefined || next.startsWith("See `systemctl --user"));
    if (own) for (const name of (failed[2] ?? "").split(", ")) this.#userUnits.add(name);
    const late = lateUser.exec(line)?.[1];
    if (late !== undefined) this.#user(late).late = true;
    const activation = failedUser.exec(line);
    if (activation !== null) this.#user(activation[2] ?? "").units.add(activation[1] ?? "");
    const user = /^warning: user activation for (.+) failed$/.exec(line)?.[1];
    if (user !== undefined) {
      for (const name of this.#userUnits) this.#user(user).units.add(name);
      this.#userUnits = new Set();
      this.#user(user);
    }
    return unit !== null || own;
  }

  #user(name: string): { units: Set<string>; late: boolean } {
    const known = this.#users.get(name) ?? { units: new Set(), late: false };
    this.#users.set(name, known);
    return known;
  }

  #readUnits(line: string): void {
    const job = /^Failed to (start|stop|restart|reload) ([^\s:]+\.[a-z]+)(?::.*)?$/.exec(line);
    if (job !== null) {
      const [, what = "", unit = ""] = job;
      if (what === "start" || what === "stop" || what === "restart" || what === "reload") this.#unit(unit, what);
    }
    const failed = /^warning: the following units failed: (.+)$/.exec(line)?.[1];
    for (const unit of failed?.split(", ") ?? []) this.#unit(unit, "failed");
  }

  #unit(unit: string, what: UnitCause["what"]): void {
    const uid = userManager.exec(unit)?.[1];
    if (uid === undefined) this.#units.set(`${what} ${unit}`, { kind: "unit", unit, what });
    else this.#user(`UID ${uid}`).units.add(unit);
  }

  causes(): ActivationCause[] {
    const inhibitor = "switchInhibitors";
    const changes = this.#changes;
    return [
      ...[...this.#simple].map((kind) => ({ kind })),
      ...(this.#checks.includes(inhibitor) ? [{ kind: "inhibitor", changes } as const] : []),
      ...this.#checks.flatMap((check) => (check === inhibitor ? [] : [{ kind: "pre-switch-check", check } as const])),
      ...this.#snippets,
      ...this.#units.values(),
      ...[...this.#users].map(([user, { units, late }]) => ({ kind: "user", user, units: [...units], late }) as const),
    ];
  }
}
