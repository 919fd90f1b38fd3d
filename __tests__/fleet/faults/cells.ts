/** The faults of the table, with what the document calls them. */
export const faultNames = {
  kill: "The action is killed (kill -9)",
  interrupt: "SIGINT",
  "interrupt-twice": "SIGINT, twice",
  terminate: "SIGTERM",
  "runner-temp-full": "RUNNER_TEMP is full",
  "clock-runner": "The clock of the runner steps by a day",
  "network-5s": "The network is down for 5 s",
  "network-lost": "The network is down until `timeout` ends the run",
  sshd: "sshd is stopped with all its sessions, and started again",
  "nix-daemon": "The Nix daemon is killed (kill -9), with all its processes",
  "run-full": "/run of the machine is full",
  "profiles-full": "The directory of the system profile is full",
  reboot: "The machine loses its power, and boots",
  "reboot-lost": "The action is killed, then the machine loses its power, and boots",
  "clock-machine": "The clock of the machine steps by a day",
} as const;

export type FaultName = keyof typeof faultNames;

/** Where a fault meets a run, with what is held there when it does. */
export const phaseNames = {
  connect: "the login of the first connection",
  copy: "the Nix that receives the flake",
  build: "the builder of the system",
  arm: "the script that arms the machine, after it has started the watchdog",
  activate: "switch-to-configuration",
  confirm: "the health check",
  "last step": "the boot loader, after the profile is set",
  rollback: "switch-to-configuration of the old system",
  "clean-up": "the script that removes the run's files",
} as const;

export type PhaseName = keyof typeof phaseNames;

/** One fault in one phase. */
export type Cell = { readonly fault: FaultName; readonly phase: PhaseName };

/** The whole table. */
export const cells: readonly Cell[] = names(faultNames).flatMap((fault) => names(phaseNames).map((phase) => ({ fault, phase })));

// By `keyOf`. The last one stands for a phase whose hold a change of the scripts once went past.
const found = new Set([
  "kill--copy",
  "kill--build",
  "run-full--activate",
  "run-full--confirm",
  "run-full--last-step",
  "reboot-lost--connect",
  "nix-daemon--clean-up",
]);

/** Returns whether the cell has found a fault of the action, or of its stage: each run of the tests has it. */
export function hasFound(cell: Cell): boolean {
  return found.has(keyOf(cell));
}

const ofRunner = new Set<FaultName>(["kill", "interrupt", "interrupt-twice", "terminate", "runner-temp-full", "clock-runner", "network-5s", "network-lost"]);

/** Returns whether the fault is one of the runner or of its network, and not of the machine. */
export function isOfRunner({ fault }: Cell): boolean {
  return ofRunner.has(fault);
}

/** Names a cell, also as a file. */
export function keyOf({ fault, phase }: Cell): string {
  return `${fault}--${phase.replace(" ", "-")}`;
}

/** The names of a table, in its order. */
export function names<T extends string>(table: Readonly<Record<T, string>>): T[] {
  return Object.keys(table).filter((name): name is T => name in table);
}
