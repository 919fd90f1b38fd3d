/** nixos-rebuild's words for what to do with a built system. */
export const operations = ["switch", "boot", "test", "dry-activate", "build"] as const;

export type Operation = (typeof operations)[number];

/** Tells whether the operation changes the machine; the others only say what would happen. */
export function changesMachine(operation: Operation): boolean {
  return operation === "switch" || operation === "boot" || operation === "test";
}

/** Tells whether the operation changes what runs now. */
export function changesRunningSystem(operation: Operation): boolean {
  return operation === "switch" || operation === "test";
}

/** Tells whether the operation changes what the machine boots next time, that is its system profile. */
export function changesSystemProfile(operation: Operation): boolean {
  return operation === "switch" || operation === "boot";
}
