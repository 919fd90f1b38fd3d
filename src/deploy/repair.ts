import type { ActivationCause } from "../domain/activation-cause.js";
import type { SystemState } from "./ports.js";

const profile = "/nix/var/nix/profiles/system";

/**
 * The hint for a machine that could not roll back. `now` is what it runs, `causes` is what the old system's activation named: it
 * writes files, and needs room for them where the root file system is full.
 */
export function repairHint(commands: string, before: SystemState, now: SystemState, causes: readonly ActivationCause[]): string {
  if (!causes.some(({ kind }) => kind === "no-space")) return `Repair the machine by hand, as root: ${commands}`;
  const runs = now.running === before.running ? "The machine runs its old system, but not all of its files could be written. " : "";
  return `${runs}Make room on the file system that is full (\`df -h\` on the machine shows which one). Then repair the machine by hand, as root: ${commands}`;
}

/** The commands that activate the system that ran before. They need no space in /nix and /boot. */
export function repairCommands({ running, profile: booted }: SystemState): string {
  return `NIXOS_NO_CHECK=1 ${running ?? booted ?? `${profile}-N-link`}/bin/switch-to-configuration test`;
}

/** The commands that put system profile and boot loader back, and then the running system, whatever the boot loader says. */
export function repairLastStep(before: SystemState): string {
  const { generation, profile: booted, running } = before;
  const system = booted ?? running ?? `${profile}-N-link`;
  const link = generation === undefined ? `rm -f ${profile}` : `ln -sfn system-${generation}-link ${profile}`;
  return `${link}; NIXOS_NO_CHECK=1 ${system}/bin/switch-to-configuration boot; ${repairCommands(before)}`;
}
