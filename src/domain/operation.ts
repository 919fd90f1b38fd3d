/** The operations: those of nixos-rebuild, and `rollback`, which activates the system of the previous generation. */
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
  /** It only reports which units an activation would start, stop and restart. */
  readonly plansUnits: boolean;
};

const nothing = { runningSystem: false, systemProfile: false, bootLoader: false } as const;
const everything = { runningSystem: true, systemProfile: true, bootLoader: true } as const;

// All differences between operations: code elsewhere uses this table and never compares names.
const table: Readonly<Record<Operation, OperationRow>> = {
  switch: { system: "flake", needsRoot: true, changes: everything, action: "switch", plansUnits: false },
  boot: { system: "flake", needsRoot: true, changes: { ...everything, runningSystem: false }, action: "boot", plansUnits: false },
  test: { system: "flake", needsRoot: true, changes: { ...nothing, runningSystem: true }, action: "test", plansUnits: false },
  "dry-activate": { system: "flake", needsRoot: true, changes: nothing, action: "dry-activate", plansUnits: true },
  build: { system: "flake", needsRoot: false, changes: nothing, action: undefined, plansUnits: true },
  rollback: { system: "older-generation", needsRoot: true, changes: everything, action: "switch", plansUnits: false },
};

/** Returns what switch-to-configuration is run with, and `undefined` where the work ends with the build. */
export function switchAction(operation: Operation): SwitchAction | undefined {
  return table[operation].action;
}

/**
 * Returns how an activation proceeds that can be undone: `switch` and `test` run the new system first, and `switch` sets system profile and boot
 * loader when it was confirmed; `boot` sets those alone. Returns `undefined` where nothing is changed.
 */
export function protectedWay(operation: Operation): "switch" | "boot" | "test" | undefined {
  const { runningSystem, systemProfile } = table[operation].changes;
  if (runningSystem) return systemProfile ? "switch" : "test";
  return systemProfile ? "boot" : undefined;
}

/** Returns whether the operation builds a flake; the others activate a system that is on the machine already. */
export function needsFlake(operation: Operation): boolean {
  return table[operation].system === "flake";
}

/** Returns whether the operation runs as root on the machine. */
export function needsRoot(operation: Operation): boolean {
  return table[operation].needsRoot;
}

/** Returns whether the operation changes the machine; the others only report what would happen. */
export function changesMachine(operation: Operation): boolean {
  const { runningSystem, systemProfile, bootLoader } = table[operation].changes;
  return runningSystem || systemProfile || bootLoader;
}

/** Returns whether the operation changes what runs now. */
export function changesRunningSystem(operation: Operation): boolean {
  return table[operation].changes.runningSystem;
}

/** Returns whether the operation changes the system profile, which the machine boots next. */
export function changesSystemProfile(operation: Operation): boolean {
  return table[operation].changes.systemProfile;
}

/** Returns whether the operation installs the boot loader's entries. */
export function changesBootLoader(operation: Operation): boolean {
  return table[operation].changes.bootLoader;
}

/** Returns whether the operation only reports which units an activation would start and stop; what activates says so itself. */
export function plansUnits(operation: Operation): boolean {
  return table[operation].plansUnits;
}

/** Returns whether the operation can activate a specialisation: one that only prepares the next boot cannot choose it. */
export function canEnterSpecialisation(operation: Operation): boolean {
  return !changesMachine(operation) || changesRunningSystem(operation);
}
