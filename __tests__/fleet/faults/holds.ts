import { existsSync, rmSync } from "node:fs";
import path from "node:path";

import { until } from "../rig/command.js";
import type { Machine } from "../rig/machine.js";
import type { PhaseName } from "./cells.js";

// A machine waits where a file says so, writes that it does, and goes on when another file is there.
const directory = "/var/tmp";

/** Shell script that waits where a run is to be held in a phase. */
export function held(phase: PhaseName): string {
  return `if [ -e ${fileOf(phase)} ]; then : >${directory}/reached; until [ -e ${directory}/go ]; do sleep 0.1; done; fi`;
}

function fileOf(phase: PhaseName): string {
  return `${directory}/hold-${phase.replace(" ", "-")}`;
}

/** Has the machine wait in a phase. */
export async function hold(machine: Machine, phase: PhaseName): Promise<void> {
  free(machine);
  await machine.output(`: >${fileOf(phase)}; chmod 666 ${fileOf(phase)}`);
}

/** Waits until the machine waits in its phase. */
export async function waitUntilHeld(machine: Machine, running: () => boolean): Promise<void> {
  await until("the phase", 60, () => {
    if (!running()) throw new Error("the action ended before its phase");
    return existsSync(path.join(machine.root, directory, "reached"));
  });
}

/** Lets the machine go on. */
export async function letGo(machine: Machine): Promise<void> {
  await machine.output(`: >${directory}/go`);
}

/** Removes the files, also those of a machine that is off. */
export function free(machine: Machine): void {
  for (const name of [
    "hold-connect",
    "hold-copy",
    "hold-build",
    "hold-arm",
    "hold-activate",
    "hold-confirm",
    "hold-last-step",
    "hold-rollback",
    "hold-clean-up",
  ]) {
    rmSync(path.join(machine.root, directory, name), { force: true });
  }
  for (const name of ["reached", "go"]) rmSync(path.join(machine.root, directory, name), { force: true });
}

const login = `case $BASH_EXECUTION_STRING in
  *stdio*) ${held("copy")} ;;
  *) ${held("connect")} ;;
esac >/dev/null 2>&1 </dev/null
`;

const systemdRun = `#!/bin/sh
/usr/bin/systemd-run "$@"
code=$?
case "$*" in *-activation-timer*) ${held("arm")} ;; esac
exit "$code"
`;

const systemctl = `#!/bin/sh
case "$*" in "list-units --all --plain --no-legend --no-pager nix-flake-deploy-"*) ${held("clean-up")} ;; esac
exec /usr/bin/systemctl "$@"
`;

/** Puts what waits in the phases that the system itself has no script in: the login shells, and programs that the action's scripts call. */
export async function putHolds(machine: Machine): Promise<void> {
  for (const [file, text] of [
    ["/root/.bashrc", login],
    ["/home/deploy/.bashrc", login],
    ["/usr/local/bin/systemd-run", systemdRun],
    ["/usr/local/bin/systemctl", systemctl],
    // sudo finds them, too.
    ["/etc/sudoers.d/path", 'Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"\n'],
  ] as const) {
    await machine.exec(`cat >${file} && chmod ${file.startsWith("/etc") ? 440 : 755} ${file}`, { stdin: text });
  }
}
