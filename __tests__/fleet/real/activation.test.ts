import path from "node:path";

import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";

import { access } from "../deployment.js";
import { describeTools, activationTools } from "../rig/activation-tools.js";
import { check } from "../rig/command.js";
import { type Behaviour, writeFlake } from "../rig/flake.js";
import { Fleet } from "../rig/fleet.js";
import type { Machine } from "../rig/machine.js";
import type { StepResult } from "../rig/runner.js";
import { base, scenarios } from "../switch/scenarios.js";

// Every system of the scenarios, with the programs of REAL_TOOLS where it has them: a deployment leaves units, /etc, system profile and
// boot loader as a plain `switch` does; one that fails, and a rollback, leave them as they were.
jest.setTimeout(600_000);
process.stderr.write(`${describeTools(activationTools())}\n`);

type Status = "deployed" | "degraded" | "rolled-back" | "failed";

/** What becomes of a deployment of each system. */
const statuses: Readonly<Record<string, Status>> = {
  "new-service": "deployed",
  "changed-service": "deployed",
  "removed-service": "deployed",
  "skipped-service": "deployed",
  "unit-fails": "rolled-back",
  "start-job-fails": "rolled-back",
  "changed-unit-fails": "rolled-back",
  "restarts-for-ever": "rolled-back",
  "dies-after-3-seconds": "deployed",
  oneshot: "deployed",
  "reload-fails": "rolled-back",
  "snippet-fails": "rolled-back",
  "snippet-and-unit-fail": "rolled-back",
  "boot-loader-fails": "rolled-back",
  "inhibitor-refuses": "failed",
  "inhibitor-passes": "deployed",
  "check-refuses": "failed",
  "other-init": "failed",
  "systemd-reexecutes": "deployed",
  "user-unit-changed": "deployed",
  "user-unit-fails": "degraded",
  "new-user-unit-fails": "deployed",
  "user-activation-fails": "degraded",
};

const names = ["h1", "h2"];
let fleet: Fleet;
let flake: string;
const last = new Map<string, Promise<unknown>>();

beforeAll(async () => {
  fleet = await Fleet.start(names.map((name) => ({ name, systemProfile: true })));
  flake = await writeFlake(
    path.join(fleet.directory, "flake"),
    Object.fromEntries<Behaviour>([["base", base], ...scenarios.map(({ name, behaviour }) => [name, behaviour] as const)]),
  );
  const packed = await check("tar", ["c", "-C", flake, "."]);
  await Promise.all(
    fleet.machines.map(async (machine) => {
      await machine.exec("mkdir /root/flake && tar x -C /root/flake", { stdin: packed });
      const systems = ["base", ...scenarios.map(({ name }) => name)];
      await machine.output(
        `useradd --create-home alice && systemd-run --quiet --wait --pipe loginctl enable-linger alice root
        mkdir /root/systems && cd /root/systems
        of() { echo "path:/root/flake#nixosConfigurations.$1.config.system.build.toplevel"; }
        nix build --no-link $(for name in ${systems.join(" ")}; do of "$name"; done)
        for name in ${systems.join(" ")}; do nix build --out-link "$name" "$(of "$name")" || exit 1; done`,
      );
      await toBase(machine);
      await machine.output("systemctl restart user@0 user@$(id -u alice)");
    }),
  );
});
afterAll(async () => await fleet?.stop());

/** Has a machine run and boot the base system, as its latest generation. */
async function toBase(machine: Machine): Promise<void> {
  await machine.output(
    `rm -f /run/nixos/*-list; base=$(readlink -f /root/systems/base)
    nix-env -p /nix/var/nix/profiles/system --set "$base"
    NIXOS_NO_CHECK=1 "$base/bin/switch-to-configuration" switch; systemctl reset-failed`,
  );
}

/** Units of the systems and failed ones with their states, all of /etc, what runs, the system profile and the boot loader's entry. */
async function stateOf(machine: Machine): Promise<string[]> {
  const text = await machine.output(
    `units() {
      { systemctl "$@" show --property=Id,FragmentPath,ActiveState,SubState '*'; echo; } |
        awk -F= -v of="$*" '$1 == "Id" { id = $2 } $1 == "FragmentPath" { path = $2 } $1 == "ActiveState" { state = $2 } $1 == "SubState" { sub_state = $2 }
          /^$/ { if (path ~ "^/etc/systemd/" || state == "failed") print of, "unit", id, state, sub_state; path = state = "" }' | sort -u
    }
    units
    for user in root alice; do
      uid=$(id -u $user); export XDG_RUNTIME_DIR=/run/user/$uid
      setpriv --reuid=$uid --regid=$uid --clear-groups sh -c 'systemctl --user show --property=Id,FragmentPath,ActiveState,SubState "*"; echo' |
        awk -F= -v of=$user '$1 == "Id" { id = $2 } $1 == "FragmentPath" { path = $2 } $1 == "ActiveState" { state = $2 }
          /^$/ { if (path ~ "^/etc/systemd/" || state == "failed") print "unit of", of, id, state; path = state = "" }' | sort -u
    done
    cd /etc && find . -type l -printf 'etc %P -> %l\\n' | sort && find . -type f ! -name .pwd.lock -exec md5sum {} + | sort -k 2
    echo "runs $(readlink -f /run/current-system)"
    echo "profile $(readlink -f /nix/var/nix/profiles/system)"
    echo "boots $(cat /boot/default)"`,
  );
  return text.split("\n");
}

async function deploy(machine: Machine, name: string, inputs: Readonly<Record<string, string>> = {}): Promise<StepResult> {
  const own = { targets: `root@${machine.name}#${name}`, "settle-time": "0", "confirm-timeout": "10", retries: "0" };
  const run = await fleet.runner.run({ workspace: flake, inputs: { ...access(fleet), ...own, ...inputs } });
  expect(await machine.leftovers()).toEqual([]);
  return run;
}

/** One after the other on a machine, side by side on two. */
async function inTurn<T>(machine: Machine, work: () => Promise<T>): Promise<T> {
  const next = (last.get(machine.name) ?? Promise.resolve()).then(work);
  last.set(
    machine.name,
    next.catch(() => {}),
  );
  return await next;
}

test("every system has an expected status", () => {
  expect(Object.keys(statuses)).toEqual(scenarios.map(({ name }) => name));
});

test.concurrent.each(scenarios.map(({ name }, index) => ({ name, index })))(
  "$name: a deployment is as `switch`, a failed one and a rollback as before",
  async ({ name, index }) => {
    const machine = fleet.machine(names[index % names.length] ?? "");
    await inTurn(machine, async () => {
      const system = await machine.output(`readlink -f /root/systems/${name}`);
      const status = statuses[name];
      const green = status === "deployed" || status === "degraded";
      await toBase(machine);
      const before = await stateOf(machine);

      let expected = before;
      if (green) {
        await machine.exec(`nix-env -p /nix/var/nix/profiles/system --set ${system}; ${system}/bin/switch-to-configuration switch`);
        expected = await stateOf(machine);
        await toBase(machine);
      }
      // Control: the comparison sees the difference that a system makes, and none where there is none.
      expect(await stateOf(machine)).toEqual(before);
      expect(JSON.stringify(expected) === JSON.stringify(before)).toBe(!green);
      const run = await deploy(machine, name);
      expect({ status: run.outputs["status"], system: run.outputs["system-path"] }).toEqual({ status, system });
      expect(await stateOf(machine)).toEqual(expected);
      if (!green) return;

      const back = await deploy(machine, name, { operation: "rollback" });
      expect(back.outputs["status"]).toBe("deployed");
      expect(await stateOf(machine)).toEqual(before);

      await toBase(machine);
      const failed = await deploy(machine, name, { "health-check": "false", "health-check-timeout": "1" });
      expect(failed.outputs["status"]).toBe("rolled-back");
      expect(await stateOf(machine)).toEqual(before);
    });
  },
);
