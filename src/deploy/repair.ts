import type { ActivationCause } from "../domain/activation-cause.js";
import type { SystemState } from "./ports.js";

const profile = "/nix/var/nix/profiles/system";

/**
 * The hint for a machine that could not roll back. `causes` is what the rollback named; `incomplete` tells that the old system runs
 * although its activation failed: it writes files, and needs room for them where the root file system is full.
 */
export function repairHint(commands: string, causes: readonly ActivationCause[], incomplete: boolean): string {
  if (!causes.some(({ kind }) => kind === "no-space")) return `Repair the machine manually, as root: ${commands}`;
  const runs = incomplete ? "The machine runs its old system, but some of its files could not be written. " : "";
  return `${runs}Free space on the full file system (\`df -h\` on the machine shows which one). Then repair the machine manually, as root: ${commands}`;
}

/** The commands that activate the system that ran before. They need no space in /nix and /boot. */
export function repairCommands({ running, profile: booted }: SystemState): string {
  return `NIXOS_NO_CHECK=1 ${running ?? booted ?? `${profile}-N-link`}/bin/switch-to-configuration test`;
}

/** The commands that restore system profile and boot loader, and then the running system, even if the boot loader fails. */
export function repairLastStep(before: SystemState): string {
  const { generation, profile: booted, running } = before;
  const system = booted ?? running ?? `${profile}-N-link`;
  const link = generation === undefined ? `rm -f ${profile}` : `ln -sfn system-${generation}-link ${profile}`;
  return `${link}; NIXOS_NO_CHECK=1 ${system}/bin/switch-to-configuration boot; ${repairCommands(before)}`;
}
