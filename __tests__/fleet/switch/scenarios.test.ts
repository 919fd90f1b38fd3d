import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { cpSync, mkdirSync } from "node:fs";
import path from "node:path";

import { asset } from "../rig/checkout.js";
import { check } from "../rig/command.js";
import { switchProgram, writeFlake } from "../rig/flake.js";
import { Fleet } from "../rig/fleet.js";
import type { Machine } from "../rig/machine.js";
import { realDirectory, activationTools } from "../rig/activation-tools.js";
import { outcome, recorded, type Outcome, type Way } from "./recorded.js";
import { base, scenarios } from "./scenarios.js";

jest.setTimeout(600_000);

const standInDirectory = "usr/local/lib/stand-ins";
const real = activationTools();

type Kind = "real" | "stand-in";
const tools: readonly { readonly kind: Kind; readonly program: string }[] = [
  { kind: "stand-in", program: "" },
  ...(real.has("switch-to-configuration") ? [{ kind: "real" as const, program: switchProgram() }] : []),
];
const ways: readonly Way[] = ["test", "switch", "boot", "ng", "bash"];

let fleet: Fleet;
let machine: Machine;

beforeAll(async () => {
  fleet = await Fleet.start(["h1"]);
  machine = fleet.machine("h1");
  const behaviours = [["base", base] as const, ...scenarios.map(({ name, behaviour }) => [name, behaviour] as const)];
  const systems = tools.flatMap(({ kind, program }) =>
    behaviours.map(([name, behaviour]) => [`${kind}-${name}`, { hostName: "h1", ...behaviour, switchProgram: program }] as const),
  );
  const flake = await writeFlake(path.join(fleet.directory, "flake"), Object.fromEntries(systems));
  await machine.exec("mkdir /root/flake && tar x -C /root/flake", { stdin: await check("tar", ["c", "-C", flake, "."]) });
  mkdirSync(path.join(machine.root, standInDirectory), { recursive: true });
  cpSync(asset("nixos-rebuild-ng.py"), path.join(machine.root, standInDirectory, "nixos-rebuild-ng"));
  cpSync(asset("nixos-rebuild-bash.sh"), path.join(machine.root, standInDirectory, "nixos-rebuild-bash"));
  // A second user with a manager of its own, besides root.
  await machine.output("useradd --create-home alice && systemd-run --quiet --wait --pipe loginctl enable-linger alice root");
  await machine.output(`mkdir /root/systems && cd /root/systems && for name in ${systems.map(([name]) => name).join(" ")}; do
    nix build "path:/root/flake#nixosConfigurations.$name.config.system.build.toplevel" --out-link "$name" || exit 1
  done`);
  await machine.output("NIXOS_NO_CHECK=1 /root/systems/stand-in-base/bin/switch-to-configuration switch && systemctl restart user@0 user@$(id -u alice)");
});
afterAll(async () => await fleet?.stop());

/** Switches from the base system to a scenario's. */
async function switchTo(scenario: string, way: Way, kind: Kind): Promise<Outcome> {
  const rebuild = (program: "bash" | "ng"): string =>
    `${kind === "real" && real.has(`nixos-rebuild-${program}`) ? realDirectory : `/${standInDirectory}`}/nixos-rebuild-${program}`;
  const command =
    way === "ng" || way === "bash"
      ? `${rebuild(way)} switch ${way === "ng" ? "--no-reexec" : "--fast"} --flake 'path:/root/flake#${kind}-${scenario}'`
      : `/root/systems/${kind}-${scenario}/bin/switch-to-configuration ${way}`;
  await machine.exec(
    `old=$(readlink -f /root/systems/${kind}-base)
    rm -f /run/nixos/*-list; nix-env -p /nix/var/nix/profiles/system --set "$old"; echo "$old" >/boot/default
    if [ "$(readlink -f /run/current-system)" != "$old" ]; then NIXOS_NO_CHECK=1 "$old/bin/switch-to-configuration" test; fi`,
  );
  const { stdout } = await machine.exec(
    `exec 2>&1; cd /tmp; new=$(readlink -f /root/systems/${kind}-${scenario})
    which() { case $(readlink -f "$1") in "$new") echo new ;; "$old") echo old ;; *) echo other ;; esac; }
    old=$(readlink -f /root/systems/${kind}-base)
    ${command}
    code=$?; echo
    failed=$(systemctl list-units --failed --plain --no-legend | cut -d ' ' -f 1 | paste -sd,)
    lists=$(cd /run/nixos; ls | grep -- '-list$' | paste -sd,)
    echo "exit $code; current=$(which /run/current-system) profile=$(which /nix/var/nix/profiles/system) boot=$(which "$(cat /boot/default)") failed=$failed lists=$lists"`,
    { timeout: 120 },
  );
  return outcome(stdout);
}

describe.each(tools)("with the $kind programs, a switch prints, does and ends as recorded", ({ kind }) => {
  test.each(scenarios)("$name", async ({ name, codes }) => {
    for (const way of ways) {
      const found = await switchTo(name, way, kind);
      const expected = recorded(name, way);
      expect({ way, end: found.end }).toEqual({ way, end: expected.end });
      expect(found.end).toContain(`exit ${codes[way]};`);
      // nixos-rebuild-ng follows the journal, where lines of systemd and of several processes are mixed.
      const wanted = expected.lines.filter((line) => !line.startsWith("Command "));
      const lines = way === "ng" ? wanted.filter((line) => found.lines.includes(line)) : found.lines;
      expect({ way, lines }).toEqual({ way, lines: wanted });
    }
  });
});
