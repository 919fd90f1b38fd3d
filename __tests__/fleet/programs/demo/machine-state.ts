import type { Machine } from "../../rig/machine.js";

/** What a machine says of itself, asked on the machine and not through the action. */
export type MachineState = {
  readonly running: string;
  readonly profile: string;
  readonly generations: number;
  readonly bootEntry: string;
  readonly version: string;
  /** Commit of the flake that the running system was built from. */
  readonly revision: string;
  readonly greeting: string;
};

export async function stateOf(machine: Machine): Promise<MachineState> {
  const [running, profile, generations, bootEntry, version, revision, greeting] = await Promise.all([
    machine.currentSystem(),
    machine.systemProfile(),
    machine.generations(),
    machine.bootEntry(),
    machine.output("/run/current-system/sw/bin/nixos-version"),
    machine.output("/run/current-system/sw/bin/nixos-version --configuration-revision 2> /dev/null || echo none"),
    machine.output("cat /etc/motd-nixos"),
  ]);
  return { running, profile: profile ?? "none", generations: generations.length, bootEntry, version, revision, greeting };
}

/** The rows of a table that shows two states side by side, store paths short. */
export function compare(before: MachineState, after: MachineState): [string, string, string][] {
  const row = (name: string, pick: (state: MachineState) => string): [string, string, string] => [name, short(pick(before)), short(pick(after))];
  return [
    row("/run/current-system", ({ running }) => running),
    row("system profile", ({ profile }) => profile),
    row("generations", ({ generations }) => String(generations)),
    row("boots next", ({ bootEntry }) => bootEntry),
    row("nixos-version", ({ version }) => version),
    row("  its commit", ({ revision }) => revision),
    row("/etc/motd-nixos", ({ greeting }) => greeting),
  ];
}

/** `/nix/store/0123…-name` as `01234567…-name`, a commit as its first twelve digits. */
function short(text: string): string {
  return text.replace(/^\/nix\/store\/(.{8}).{24}-/, "$1…-").replace(/^([0-9a-f]{12})[0-9a-f]{28}$/, "$1…");
}
