import type { ActivationCause } from "../domain/activation-cause.js";
import { listed } from "../domain/listed.js";
import { changesBootLoader, changesRunningSystem, needsFlake, type Operation } from "../domain/operation.js";
import type { StorePath } from "../domain/store-path.js";
import type { Topic } from "../domain/topic.js";
import type { ActivationEnd, SystemState } from "./ports.js";

/** What is to be judged. */
export type Evidence = {
  readonly operation: Operation;
  readonly toplevel: StorePath;
  readonly before: Pick<SystemState, "failedUnits" | "restartingUnits">;
  readonly end: Pick<ActivationEnd, "exitCode" | "causes"> & { readonly after: Pick<SystemState, "failedUnits"> };
};

/** A reason why an activation is not successful: a sentence without its full stop, and what to do next. */
export type Complaint = { readonly reason: string; readonly hint: string; readonly topic?: Topic };

/** What the end of switch-to-configuration means. */
export type Verdict = {
  /** A failure whatever the inputs are. */
  readonly failure: Complaint | undefined;
  /** Units that failed and had not failed before: a failure unless `unit-failures` is `warn`. */
  readonly units: Complaint | undefined;
  /** Users whose own activation failed: degraded, but not a failure. */
  readonly users: Complaint | undefined;
  readonly failedUnits: readonly string[];
};

/**
 * Judges what switch-to-configuration named, whatever its exit code: the codes of its versions differ, and nixos-rebuild in bash
 * makes each of them 1. An exit code other than 0 without a cause is a failure too.
 */
export function judge({ operation, toplevel, before, end }: Evidence): Verdict {
  const { exitCode } = end;
  // With exit code 0, only failed user activations count: scripts print the other messages for errors that they ignore.
  const causes = exitCode === 0 ? end.causes.filter(({ kind }) => kind === "user") : end.causes;
  const code = `(exit code ${exitCode})`;
  const units = causes.filter((cause) => cause.kind === "unit");
  const failedUnits = newlyFailed(before, [...units.map(({ unit }) => unit), ...end.after.failedUnits]);
  const users = causes.filter((cause) => cause.kind === "user");
  const fatal = causes.filter((cause) => cause.kind !== "unit" && cause.kind !== "user");
  const complaint = failedUnits.length === 0 ? undefined : explainUnits(units, failedUnits, exitCode === 0 ? "" : ` ${code}`);
  const named = fatal.length > 0 ? explainFatal(fatal, operation, toplevel, code) : undefined;
  return {
    failure:
      named ?? explainCode(exitCode, causes, complaint) ?? (isExplained(exitCode, causes, failedUnits) ? undefined : explainNothing(operation, exitCode, code)),
    units: complaint,
    users: users.length === 0 ? undefined : explainUsers(users),
    failedUnits,
  };
}

/** Names the units that are failed now and had not failed, or been restarted again and again, before. */
export function newlyFailed(before: Evidence["before"] | undefined, failed: readonly string[]): string[] {
  const old = new Set([...(before?.failedUnits ?? []), ...(before?.restartingUnits ?? [])]);
  return [...new Set(failed)].filter((unit) => !old.has(unit));
}

type UnitCause = Extract<ActivationCause, { kind: "unit" }>;
type UserCause = Extract<ActivationCause, { kind: "user" }>;
type FatalCause = Exclude<ActivationCause, UnitCause | UserCause>;

const order: readonly FatalCause["kind"][] = [
  "record",
  "profile",
  "locked",
  "not-nixos",
  "inhibitor",
  "pre-switch-check",
  "boot-loader",
  "other-init",
  "snippet",
  "activation-script",
  "logind",
  "user-left",
  "no-space",
];

function explainFatal(causes: readonly FatalCause[], operation: Operation, toplevel: StorePath, code: string): Complaint | undefined {
  const first = order.flatMap((kind) => causes.filter((cause) => cause.kind === kind))[0];
  if (first === undefined) return undefined;
  const full = causes.some(({ kind }) => kind === "no-space");
  const explained = explain(first, causes, operation, toplevel, code);
  if (!full || first.kind === "no-space") return explained;
  return { reason: `${explained.reason}: no space is left on the device`, hint: freeSpace(operation), topic: "device-full" };
}

function explain(cause: FatalCause, causes: readonly FatalCause[], operation: Operation, toplevel: StorePath, code: string): Complaint {
  switch (cause.kind) {
    case "record":
      return { reason: `system profile and boot loader were not set, because their previous state could not be recorded ${code}`, hint: freeSpace(operation) };
    case "profile":
      return { reason: `the system profile could not be set ${code}`, hint: "See the output of nix-env below" };
    case "locked":
      return { reason: `another switch-to-configuration is running on the machine ${code}`, hint: "Nothing was activated. Deploy again when it has finished" };
    case "not-nixos":
      return { reason: `switch-to-configuration does not recognize the machine as NixOS ${code}`, hint: "Check why the file /etc/NIXOS is missing" };
    case "inhibitor": {
      const what = cause.changes.length === 0 ? "" : `: ${cause.changes.join(", ")}`;
      return {
        reason: `a switch inhibitor refuses to activate the new system while the old one runs ${code}${what}`,
        hint: bootInstead(operation, toplevel),
        topic: "inhibitor",
      };
    }
    case "pre-switch-check": {
      const checks = causes.flatMap((other) => (other.kind === "pre-switch-check" ? [other.check] : []));
      const name = checks.map((check) => `'${check}'`).join(" and ");
      return {
        reason: `the pre-switch check ${name} of the new system failed ${code}`,
        hint: "See its output below, fix what it reports and deploy again",
        topic: "check-failed",
      };
    }
    case "boot-loader":
      return { reason: `the boot loader could not be installed ${code}`, hint: "See the output of its installer below", topic: "boot-loader" };
    case "other-init":
      return {
        reason: `the new system uses a different init system, so it takes effect only after a reboot ${code}`,
        hint: bootInstead(operation, toplevel),
        topic: "other-init",
      };
    case "snippet": {
      const snippets = causes.flatMap((other) => (other.kind === "snippet" ? [`'${other.snippet}' (${other.exitCode})`] : []));
      const names = snippets.length === 1 ? `the activation script snippet ${snippets[0]}` : `the activation script snippets ${snippets.join(", ")}`;
      return { reason: `${names} failed ${code}`, hint: "See its output in the host's log, fix the snippet and deploy again", topic: "snippet-failed" };
    }
    case "activation-script":
      return {
        reason: `the activation script failed ${code}`,
        hint: "See its output in the host's log, fix the script and deploy again",
        topic: "snippet-failed",
      };
    case "logind":
      return {
        reason: `logind did not list the users, so the changed units were not started ${code}`,
        hint: "Check `systemctl status systemd-logind` on the machine",
      };
    case "user-left":
      return {
        reason: `logind stopped the services of a user during the switch, so the changed units were not started ${code}`,
        hint: "Deploy again: logind stops the services of a user 10 s after the last session of the user has ended",
      };
    case "no-space":
      return { reason: `no space is left on the device ${code}`, hint: freeSpace(operation), topic: "device-full" };
  }
}

function bootInstead(operation: Operation, toplevel: StorePath): string {
  if (needsFlake(operation)) return "Deploy with `operation: boot`, then reboot the machine";
  return `Run \`nix-env --profile /nix/var/nix/profiles/system --set ${toplevel} && ${toplevel}/bin/switch-to-configuration boot\` on the machine, then reboot it`;
}

function freeSpace(operation: Operation): string {
  const where = changesBootLoader(operation) ? "`df` on the machine shows which disk is full, /boot included" : "`df` on the machine shows which disk is full";
  return `${where}. \`nix-collect-garbage -d\` there removes old generations`;
}

// Failed units and users alone give exit code 4. With another code it has stopped before the end.
const unitsOrUsers = 4;

function isExplained(exitCode: number, causes: readonly ActivationCause[], failedUnits: readonly string[]): boolean {
  return exitCode === 0 || (exitCode === unitsOrUsers && causes.length + failedUnits.length > 0);
}

/** With any other code, newly failed units are named too, and are a failure whatever `unit-failures` is. */
function explainCode(exitCode: number, causes: readonly ActivationCause[], units: Complaint | undefined): Complaint | undefined {
  return exitCode === 0 || exitCode === unitsOrUsers || isSignal(exitCode) || causes.length === 0 ? undefined : units;
}

// As a shell reports a program that a signal has ended.
function isSignal(exitCode: number): boolean {
  return exitCode > 128 && exitCode < 160;
}

function explainNothing(operation: Operation, exitCode: number, code: string): Complaint {
  const state = changesRunningSystem(operation) ? "The machine may be partially switched. " : "";
  const what = isSignal(exitCode) ? `switch-to-configuration was killed by signal ${exitCode - 128}` : "switch-to-configuration failed without naming a cause";
  return { reason: `${what} ${code}`, hint: `${state}See the end of its output below`, topic: "switch-failed" };
}

const jobs = { start: "failed to start", stop: "failed to stop", restart: "failed to restart", reload: "failed to reload" } as const;

function explainUnits(causes: readonly UnitCause[], failed: readonly string[], code: string): Complaint {
  // Name the failed job, unless the whole unit has failed.
  const text = failed.map((unit) => {
    const own = causes.filter((cause) => cause.unit === unit);
    const job = own.some(({ what }) => what === "failed") ? undefined : own.flatMap(({ what }) => (what === "failed" ? [] : [jobs[what]]))[0];
    return job === undefined ? unit : `${unit} (${job})`;
  });
  return {
    reason: `newly failed units${code}: ${listed(text, mostNamed)}`,
    hint: "See the unit's journal below, fix it and deploy again",
    topic: "units-failed",
  };
}

// Units that a sentence names.
const mostNamed = 20;

/** The units as a sentence names them. */
export function nameUnits(units: readonly string[]): string {
  return listed(units, mostNamed);
}

function explainUsers(causes: readonly UserCause[]): Complaint {
  const text = causes.map(({ user, units, late }) => {
    const why = late ? "timed out after 60 s" : units.join(", ");
    return why === "" ? user : `${user} (${why})`;
  });
  return {
    reason: `the user activation failed for ${text.join(", ")}`,
    hint: "The system itself was activated. Check `systemctl --user status` as this user",
    topic: "user-activation",
  };
}
