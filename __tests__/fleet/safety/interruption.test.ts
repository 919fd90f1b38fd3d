import { beforeEach, expect, test } from "@jest/globals";

import { until } from "../rig/command.js";
import { program } from "../../../src/nixos/script-program.js";
import type { Behaviour } from "../rig/flake.js";
import { useTrial, verdictOf, type Systems } from "./trial.js";

// A run that ends in the middle: killed, or cancelled. The machine is left alone with its watchdog. ../faults/ has every such fault in
// every phase; here are the cases that have a control, or look closer.
const trial = useTrial(["web1"]);
let before: Systems;

beforeEach(async () => {
  before = await trial.systems();
});

const activating = /\] activating the configuration/;

/** Starts a deployment, and kills the action at a line of its log. */
async function killAt(line: RegExp, behaviour: Behaviour, inputs: Readonly<Record<string, string>>): Promise<void> {
  const going = trial.fleet.runner.start(trial.step(await trial.flake(behaviour), inputs));
  await going.waitFor(line);
  going.signal("SIGKILL");
  // The post step removes the key.
  expect((await going.finished).leftInTemp).toEqual([]);
  await trial.fleet.runner.endJob();
}

/** Waits until the activation has ended. Without a watchdog, nothing happens then any more: no timer would go back. */
async function waitUntilLeftAlone(): Promise<void> {
  const machine = trial.machine();
  await until("the activation to end", 30, async () => (await machine.exec("systemctl is-active 'nix-flake-deploy-*-activate.service'")).code !== 0);
  expect(await machine.output("systemctl list-units --all --no-legend 'nix-flake-deploy-*-timer.service' | grep -v -- '-lock-timer' || true")).toBe("");
}

test("systemd is re-executed and constantly reloaded: an unconfirmed machine rolls back anyway", async () => {
  const machine = trial.machine();
  await machine.output("(while sleep 0.5; do systemctl daemon-reload; done) >/dev/null 2>&1 & echo $! >/run/reloading");
  await killAt(activating, { switchSeconds: 1 }, { "confirm-timeout": "2" });
  // As a switch to another version of systemd does.
  await machine.output("systemctl daemon-reexec");
  await until("the new system", 30, async () => (await trial.systems()).current !== before.current);
  await trial.backAt(before);
  // It was reloaded to the end.
  expect((await machine.exec("kill $(cat /run/reloading)")).code).toBe(0);
  await trial.forget();
});

test("kill -9 of the action during the activation: the machine rolls back by itself, and without protection the new system stays", async () => {
  await killAt(activating, { switchSeconds: 2 }, { "confirm-timeout": "2" });
  await until("the new system", 30, async () => (await trial.systems()).current !== before.current);
  await trial.backAt(before);
  expect(await trial.machine().output("cat /run/nix-flake-deploy/*/kind")).toBe("switch");
  await trial.forget();

  await killAt(activating, { switchSeconds: 2 }, { "confirm-timeout": "2", rollback: "false" });
  await waitUntilLeftAlone();
  expect((await trial.systems()).current).not.toBe(before.current);
  await trial.repair(before);
});

test("with the machine's timers killed as well, the new system stays until the runner has shown no sign of life for long: then the machine rolls back", async () => {
  const machine = trial.machine();
  await killAt(activating, { switchSeconds: 2 }, { "confirm-timeout": "60" });
  await until("the new system", 30, async () => (await trial.systems()).current !== before.current);
  await until("the end", 30, async () => (await machine.exec("cat /run/nix-flake-deploy/*/activate.status")).stdout.trim() === "0");
  await machine.output(
    "systemctl kill --signal=KILL 'nix-flake-deploy-*-activation-timer.service' 'nix-flake-deploy-*-confirm-timer.service'; sleep 0.5; systemctl reset-failed 'nix-flake-deploy-*'",
  );
  await waitUntilLeftAlone();
  expect((await trial.systems()).current).not.toBe(before.current);
  // What the lease runs when its time is up, each time.
  const expire = async () => await machine.output("systemd-run --quiet --wait /bin/sh /run/nix-flake-deploy/*/expire.sh fire");
  await expire();
  await trial.backAt(before);
  await until("the rollback to end", 30, async () => (await machine.exec("cat /run/nix-flake-deploy/*/rollback.status")).stdout.trim() === "0");
  await trial.forget();
});

test("in the last step, the runner is killed: the machine finishes the step", async () => {
  const machine = trial.machine();
  await machine.output("rm -f /var/tmp/go /var/tmp/reached");
  const bootLoaderScript = "touch /var/tmp/reached; until [ -e /var/tmp/go ]; do sleep 0.1; done";
  const going = trial.fleet.runner.start(trial.step(await trial.flake({ bootLoaderScript })));
  await until("the boot loader", 40, async () => (await machine.exec("test -e /var/tmp/reached")).code === 0);
  // Nothing is to roll back any more: no timer of the run is there.
  await until(
    "the timers to go, which are stopped beside the step",
    10,
    async () => (await machine.output("systemctl list-units --all --no-legend 'nix-flake-deploy-*-timer.service'")) === "",
  );
  const system = await machine.currentSystem();
  expect(await trial.systems()).toEqual({ current: system, profile: system, boot: before.boot });
  going.signal("SIGKILL");
  await going.finished;
  await trial.fleet.runner.endJob();
  await machine.output("touch /var/tmp/go");
  await until("the end of the step", 30, async () => (await machine.exec("cat /run/nix-flake-deploy/*/last.status")).stdout.trim() === "0");
  // The directory of the run stays until somebody has asked, or for a while.
  await until("the unit to end", 10, async () => (await machine.exec("systemctl is-active 'nix-flake-deploy-*-last.service'")).code !== 0);
  await machine.output("systemd-run --quiet --wait /bin/sh /run/nix-flake-deploy/*/expire.sh fire; ls /run/nix-flake-deploy/*/last.status");
  await trial.forget();
  expect(await trial.systems()).toEqual({ current: system, profile: system, boot: system });
  expect((await machine.exec("ls /nix/var/nix/nix-flake-deploy")).code).not.toBe(0);
});

test("a run whose files are removed before the unit of its last step has quite ended leaves no unit", async () => {
  const machine = trial.machine();
  // In the end, the unit stops the timers.
  const slow = `#!/bin/sh
case "$(tr '\\0' ' ' </proc/$PPID/cmdline)$*" in *"watchdog.sh last stop "*-activation-timer*) touch /var/tmp/stopping; sleep 4 ;; esac
exec /usr/bin/systemctl "$@"
`;
  await machine.exec("cat >/usr/local/bin/systemctl && chmod +x /usr/local/bin/systemctl", { stdin: slow });
  expect(verdictOf(await trial.deploy({}))).toMatchObject({ exit: 0, status: "deployed" });
  expect((await machine.exec("rm /usr/local/bin/systemctl /var/tmp/stopping")).code).toBe(0);
  // Longer than the unit would go on.
  await machine.output("sleep 6");
  expect(await machine.leftovers()).toEqual([]);
});

test("what an abandoned run left is removed automatically, and its end is in the journal", async () => {
  const machine = trial.machine();
  const going = trial.fleet.runner.start(trial.step(await trial.flake({ switchSeconds: 2 }), { "confirm-timeout": "2" }));
  await going.waitFor(activating);
  const run = await machine.output("basename /run/nix-flake-deploy/*/");
  // The sum of the limits and a quarter of an hour; here it is not waited for.
  expect(await machine.output(`cat /run/nix-flake-deploy/${run}/clear.window`)).toBe(String(600 + 2 + 60 + 1 + 900));
  going.signal("SIGKILL");
  await going.finished;
  const directory = `/run/nix-flake-deploy/${run}`;
  await until("the way back", 30, async () => (await machine.exec(`cat ${directory}/rollback.status`)).stdout.trim() === "0");
  await until("its unit to end", 10, async () => (await machine.exec(`systemctl is-active nix-flake-deploy-${run}-confirm.service`)).code !== 0);
  expect(await trial.systems()).toEqual(before);

  // A run that comes back puts it off.
  const began = async () => Number(await machine.output(`systemctl show nix-flake-deploy-${run}-lease.service -p ActiveEnterTimestampMonotonic --value`));
  const first = await began();
  const look = await machine.exec("/bin/sh -s", { stdin: program("decide", [run, "look"], "nonce") });
  expect(look.stdout).toContain(`running=${before.current}`);
  expect(await began()).toBeGreaterThan(first);

  // What the lease runs when its time is up, each time; before the runner can no longer come back, it leaves everything.
  const expire = async () => await machine.output(`systemd-run --quiet --wait --unit=${run}-expired /bin/sh ${directory}/expire.sh fire`);
  await machine.output(`printf 600 >${directory}/clear.window`);
  await expire();
  expect((await machine.exec(`cat ${directory}/rollback.log`)).stdout).toContain("rolling back: ");
  await machine.output(`printf 0 >${directory}/clear.window`);
  await expire();
  expect(await machine.leftovers()).toEqual([]);
  const journal = await machine.output(`journalctl --no-pager --unit=${run}-expired.service --output=cat`);
  expect(journal).toMatch(/the runner has shown no sign of life: [^]*activating the configuration[^]*rolling back: /);
  expect(await trial.systems()).toEqual(before);
});

test("a cancellation during the activation: the log says what the machine will do, and it does", async () => {
  const cancel = async (inputs: Readonly<Record<string, string>>) => {
    const going = trial.fleet.runner.start(trial.step(await trial.flake({ switchSeconds: 2 }), { "confirm-timeout": "2", ...inputs }));
    await going.waitFor(activating);
    going.signal("SIGINT");
    const run = await going.finished;
    expect(run.leftInTemp).toEqual([]);
    return run;
  };
  const run = await cancel({});
  expect(verdictOf(run)).toMatchObject({ exit: 1, status: "unknown", error: expect.stringContaining("rolls back on its own, 2 s after the activation ends") });
  await until("the new system", 30, async () => (await trial.systems()).current !== before.current);
  await trial.backAt(before);
  await trial.forget();

  const control = await cancel({ rollback: "false" });
  expect(verdictOf(control)).toMatchObject({ exit: 1, status: "unknown", error: expect.stringContaining("rollback is false") });
  await waitUntilLeftAlone();
  expect((await trial.systems()).current).toBe(control.outputs["system-path"]);
  await trial.repair(before);
});
