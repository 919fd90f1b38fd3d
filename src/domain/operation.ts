/** What is done on the machines: nixos-rebuild's words, and `rollback`, which activates the system of the previous generation. */
export const operations = ["switch", "boot", "test", "dry-activate", "build", "rollback"] as const;

export type Operation = (typeof operations)[number];

/** The actions of NixOS's `switch-to-configuration` that the operations run. */
export type SwitchAction = "switch" | "boot" | "test" | "dry-activate";

type OperationRow = {
  /** The system that it works with: one built from the flake, or the one of the generation before the current one. */
  readonly system: "flake" | "older-generation";
  /** It runs as root on the machine. */
  readonly needsRoot: boolean;
  readonly changes: { readonly runningSystem: boolean; readonly systemProfile: boolean; readonly bootLoader: boolean };
  /** What the system's own switch-to-configuration is run with; without one, the work ends with the build. */
  readonly action: SwitchAction | undefined;
  /** It starts, stops and restarts units, now or as a rehearsal. */
  readonly touchesUnits: boolean;
};

const nothing = { runningSystem: false, systemProfile: false, bootLoader: false } as const;
const everything = { runningSystem: true, systemProfile: true, bootLoader: true } as const;

// Everything that sets one operation apart from another: code elsewhere asks this table and never compares names.
const table: Readonly<Record<Operation, OperationRow>> = {
  switch: { system: "flake", needsRoot: true, changes: everything, action: "switch", touchesUnits: true },
  boot: { system: "flake", needsRoot: true, changes: { ...everything, runningSystem: false }, action: "boot", touchesUnits: false },
  test: { system: "flake", needsRoot: true, changes: { ...nothing, runningSystem: true }, action: "test", touchesUnits: true },
  "dry-activate": { system: "flake", needsRoot: true, changes: nothing, action: "dry-activate", touchesUnits: true },
  build: { system: "flake", needsRoot: false, changes: nothing, action: undefined, touchesUnits: true },
  rollback: { system: "older-generation", needsRoot: true, changes: everything, action: "switch", touchesUnits: true },
};

/** Returns what switch-to-configuration is run with, and `undefined` where the work ends with the build. */
export function switchAction(operation: Operation): SwitchAction | undefined {
  return table[operation].action;
}

/**
 * How an activation goes that can be undone: `switch` and `test` run the new system first, and `switch` sets system profile and boot
 * loader when it was confirmed; `boot` sets those alone. Returns `undefined` where nothing is changed.
 */
export function protectedWay(operation: Operation): "switch" | "boot" | "test" | undefined {
  const { runningSystem, systemProfile } = table[operation].changes;
  if (runningSystem) return systemProfile ? "switch" : "test";
  return systemProfile ? "boot" : undefined;
}

/** Tells whether the operation builds a flake; the others take a system that the machine has. */
export function needsFlake(operation: Operation): boolean {
  return table[operation].system === "flake";
}

/** Tells whether the operation runs as root on the machine. */
export function needsRoot(operation: Operation): boolean {
  return table[operation].needsRoot;
}

/** Tells whether the operation changes the machine; the others only say what would happen. */
export function changesMachine(operation: Operation): boolean {
  const { runningSystem, systemProfile, bootLoader } = table[operation].changes;
  return runningSystem || systemProfile || bootLoader;
}

/** Tells whether the operation changes what runs now. */
export function changesRunningSystem(operation: Operation): boolean {
  return table[operation].changes.runningSystem;
}

/** Tells whether the operation changes the system profile, which the machine boots next. */
export function changesSystemProfile(operation: Operation): boolean {
  return table[operation].changes.systemProfile;
}

/** Tells whether the operation installs the boot loader's entries. */
export function changesBootLoader(operation: Operation): boolean {
  return table[operation].changes.bootLoader;
}

/** Tells whether the operation, or what it rehearses, starts and stops units before the next reboot. */
export function touchesUnits(operation: Operation): boolean {
  return table[operation].touchesUnits;
}

/** Tells whether a machine can end in a specialisation: what only prepares the next boot cannot choose one. */
export function canEnterSpecialisation(operation: Operation): boolean {
  return !changesMachine(operation) || changesRunningSystem(operation);
}
