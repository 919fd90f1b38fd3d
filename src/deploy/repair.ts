import type { SystemState } from "./ports.js";

const profile = "/nix/var/nix/profiles/system";

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
