/** What is done on the machines: nixos-rebuild's words, and `rollback`, which puts the previous generation back. */
export const operations = ["switch", "boot", "test", "dry-activate", "build", "rollback"] as const;

export type Operation = (typeof operations)[number];

/** nixos-rebuild's own words. */
export type RebuildAction = Exclude<Operation, "rollback">;

/** What nixos-rebuild calls it; going back is a switch. */
export function rebuildAction(operation: Operation): RebuildAction {
  return operation === "rollback" ? "switch" : operation;
}

/** Tells whether the operation builds a flake; going back takes a system that is there. */
export function needsFlake(operation: Operation): boolean {
  return operation !== "rollback";
}

/** Tells whether the operation changes the machine; the others only say what would happen. */
export function changesMachine(operation: Operation): boolean {
  return changesRunningSystem(operation) || changesSystemProfile(operation);
}

/** Tells whether the operation changes what runs now. */
export function changesRunningSystem(operation: Operation): boolean {
  return operation === "switch" || operation === "test" || operation === "rollback";
}

/** Tells whether the operation changes what the machine boots next time, that is its system profile. */
export function changesSystemProfile(operation: Operation): boolean {
  return operation === "switch" || operation === "boot" || operation === "rollback";
}
