import type { MachineSpec } from "./rig/machine.js";
import type { RunnerSpec } from "./rig/runner.js";

/** A Nix on the runner. */
export type RunnerNix = {
  readonly nix: string;
  readonly spec: RunnerSpec;
  /** ssh connections of each machine in a deployment, and in one that finds it unchanged. */
  readonly handshakes: { readonly deployed: number; readonly unchanged: number };
};

/** A Nix on a machine. */
export type MachineNix = { readonly nix: string; readonly spec: MachineSpec };

const overOneMaster = { deployed: 2, unchanged: 1 };

/** Those that have found faults: they run by default. */
export const commonRunners: readonly RunnerNix[] = [
  { nix: "Nix 2.34", spec: { suite: "forky" }, handshakes: overOneMaster },
  { nix: "Nix 2.35", spec: { nix: "nix-2.35.2" }, handshakes: overOneMaster },
  { nix: "Determinate Nix with lazy trees", spec: { nix: "determinate-3.22.2-lazy-trees" }, handshakes: { deployed: 3, unchanged: 2 } },
  { nix: "Nix 2.26", spec: { suite: "trixie" }, handshakes: overOneMaster },
];

/** Those that only `npm run test:matrix` runs. */
export const otherRunners: readonly RunnerNix[] = [
  { nix: "Determinate Nix without lazy trees", spec: { nix: "determinate-3.22.2" }, handshakes: { deployed: 3, unchanged: 2 } },
  { nix: "Nix 2.8", spec: { suite: "bookworm" }, handshakes: overOneMaster },
  { nix: "Lix 2.95", spec: { nix: "lix-2.95.3" }, handshakes: overOneMaster },
];

/** Those that are tested now: all in `npm run test:matrix`, whose configuration of Jest says so. */
export const runnerNixes = Reflect.get(globalThis, "everyNix") === true ? [...commonRunners, ...otherRunners] : commonRunners;

export const machineNixes: readonly MachineNix[] = [
  { nix: "Nix 2.34", spec: { name: "nix-2-34", suite: "forky", rebuild: "ng" } },
  { nix: "Nix 2.26", spec: { name: "nix-2-26", suite: "trixie", rebuild: "bash" } },
  // nixos-rebuild-ng of a NixOS with Nix 2.8 does not exist: it passes --print-out-paths, which 2.8 does not know.
  { nix: "Nix 2.8", spec: { name: "nix-2-8", suite: "bookworm", rebuild: "bash" } },
  { nix: "Lix 2.95", spec: { name: "lix", nix: "lix-2.95.3", rebuild: "ng" } },
];

/** Name of the test of a flake at the root of its repository. */
export function cellName(runner: RunnerNix, machine: MachineNix): string {
  return `${runner.nix} deploys to ${machine.nix}`;
}

/** Name of the test of a flake in a subdirectory. */
export function subdirectoryCellName(runner: RunnerNix, machine: MachineNix): string {
  return `${runner.nix} deploys a subdirectory to ${machine.nix}`;
}
