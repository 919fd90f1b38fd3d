import path from "node:path";

import { asset } from "../rig/checkout.js";
import { check } from "../rig/command.js";
import { type Behaviour, switchProgram, writeFlake } from "../rig/flake.js";
import type { Fleet } from "../rig/fleet.js";
import type { Machine } from "../rig/machine.js";
import { activationTools, realDirectory } from "../rig/activation-tools.js";
import { outcome, type Outcome, type Way } from "./recorded.js";

export type Kind = "real" | "stand-in";

const real = activationTools();

/** Programs to compare with what was recorded: the stand-ins, and the real ones of REAL_TOOLS. */
export const kinds: readonly Kind[] = real.has("switch-to-configuration") ? ["stand-in", "real"] : ["stand-in"];

const standInDirectory = "usr/local/lib/stand-ins";

/** A machine with a system that runs before each switch, and systems to switch to, one at a time. */
export class Bench {
  readonly #machine: Machine;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Builds the systems and switches to `base`. Root and a second user, alice, have managers of their own. */
  static async prepare(fleet: Fleet, machine: Machine, base: Behaviour, others: readonly (readonly [string, Behaviour])[]): Promise<Bench> {
    const behaviours = [["base", base] as const, ...others];
    const systems = kinds.flatMap((kind) =>
      behaviours.map(
        ([name, behaviour]) => [`${kind}-${name}`, { hostName: machine.name, ...behaviour, switchProgram: kind === "real" ? switchProgram() : "" }] as const,
      ),
    );
    const flake = await writeFlake(path.join(fleet.directory, `flake-${machine.name}`), Object.fromEntries(systems));
    await machine.exec("mkdir /root/flake && tar x -C /root/flake", { stdin: await check("tar", ["c", "-C", flake, "."]) });
    for (const [program, file] of [["nixos-rebuild-ng", "nixos-rebuild-ng.py"] as const, ["nixos-rebuild-bash", "nixos-rebuild-bash.sh"] as const]) {
      await check("install", ["-D", "-m", "755", asset(file), path.join(machine.root, standInDirectory, program)]);
    }
    const names = systems.map(([name]) => name);
    // All at once, which takes one evaluation; the links one by one, because Nix numbers those of several systems in an order of its own.
    await machine.output(
      `useradd --create-home alice && systemd-run --quiet --wait --pipe loginctl enable-linger alice root
      mkdir /root/systems && cd /root/systems
      of() { echo "path:/root/flake#nixosConfigurations.$1.config.system.build.toplevel"; }
      nix build --no-link $(for name in ${names.join(" ")}; do of "$name"; done)
      for name in ${names.join(" ")}; do nix build --out-link "$name" "$(of "$name")" || exit 1; done
      NIXOS_NO_CHECK=1 ./stand-in-base/bin/switch-to-configuration switch && systemctl restart user@0 user@$(id -u alice)`,
    );
    return new Bench(machine);
  }

  /** Switches from the base system to another one, after all switches that were asked for before. `before` is a script to run first. */
  async switchTo(name: string, way: Way, kind: Kind, before = ""): Promise<Outcome> {
    const next = this.#last.then(async () => await this.#switch(name, way, kind, before));
    this.#last = next.catch(() => {});
    return await next;
  }

  async #switch(name: string, way: Way, kind: Kind, before: string): Promise<Outcome> {
    await this.#machine.output(
      `old=$(readlink -f /root/systems/${kind}-base); profile=/nix/var/nix/profiles/system
      rm -f /run/nixos/*-list; echo "$old" >/boot/default
      [ "$(readlink -f $profile)" = "$old" ] || nix-env -p $profile --set "$old"
      [ "$(readlink -f /run/current-system)" = "$old" ] || NIXOS_NO_CHECK=1 "$old/bin/switch-to-configuration" test
      ${before}`,
    );
    const { stdout } = await this.#machine.exec(
      `exec 2>&1; cd /tmp; new=$(readlink -f /root/systems/${kind}-${name})
      which() { case $(readlink -f "$1") in "$new") echo new ;; "$old") echo old ;; *) echo other ;; esac; }
      old=$(readlink -f /root/systems/${kind}-base)
      ${command(name, way, kind)}
      code=$?; echo
      failed=$(systemctl list-units --failed --plain --no-legend | cut -d ' ' -f 1 | paste -sd,)
      lists=$(cd /run/nixos; ls | grep -- '-list$' | paste -sd,)
      echo "exit $code; current=$(which /run/current-system) profile=$(which /nix/var/nix/profiles/system) boot=$(which "$(cat /boot/default)") failed=$failed lists=$lists"`,
      { timeout: 120 },
    );
    return outcome(stdout);
  }
}

function command(name: string, way: Way, kind: Kind): string {
  if (way !== "ng" && way !== "bash") return `/root/systems/${kind}-${name}/bin/switch-to-configuration ${way}`;
  const directory = kind === "real" && real.has(`nixos-rebuild-${way}`) ? realDirectory : `/${standInDirectory}`;
  return `${directory}/nixos-rebuild-${way} switch ${way === "ng" ? "--no-reexec" : "--fast"} --flake 'path:/root/flake#${kind}-${name}'`;
}
