import { expect, test } from "@jest/globals";

import { until } from "../rig/command.js";
import { failingUnit, runningUnit, type Behaviour } from "../rig/flake.js";
import { useTrial, verdictOf } from "./trial.js";

// switch-to-configuration waits for each user's own activation without a limit: a user could hold every deployment up for ever.
const trial = useTrial(["web1", "web2", "web3"], ["web1", "web2"]);
const ended = "nix-flake-deploy: the user activation for alice timed out after 60 s";

/** A system whose activation never ends for alice. */
const endless: Behaviour = {
  userUnits: {
    "nixos-activation.service": `[Unit]\nDescription=never ends for alice\n[Service]\nType=oneshot\nExecStart=/bin/sh -c '[ "$(id -un)" != alice ] || exec sleep infinity'\n`,
  },
  userOnDemand: ["nixos-activation.service"],
};

async function add(user: string, name: string): Promise<void> {
  await trial
    .machine(name)
    .output(`{ id ${user} || useradd --create-home ${user}; } >/dev/null 2>&1 && systemd-run --quiet --wait --pipe loginctl enable-linger ${user}`);
}

test("a user's activation that never ends is ended after 60 s: degraded, naming the user, and without it the switch never ends; in a rollback, too", async () => {
  // Where nobody is logged in, it does end.
  const before = await trial.settle(endless, "web3");
  await Promise.all(["web1", "web2", "web3"].map(async (name) => await add("alice", name)));
  const built = await trial.deploy(endless, { operation: "build" }, "web2");
  const control = trial.machine("web2");
  await control.output(`systemd-run --quiet --unit=plain-switch -- ${built.outputs["system-path"]}/bin/switch-to-configuration test`);
  await until("the part of alice", 60, async () => (await control.exec("pgrep -u alice -f '[s]leep infinity'")).code === 0);
  const since = performance.now();

  const [run, rejected] = await Promise.all([trial.deploy(endless), trial.deploy({ units: { "bad.service": failingUnit } }, {}, "web3")]);
  expect(run.log).toContain(ended);
  expect(verdictOf(run)).toMatchObject({
    exit: 0,
    status: "degraded",
    error: expect.stringMatching(/user activation failed for alice \(.*timed out after 60 s/),
  });
  expect(rejected.log.slice(rejected.log.indexOf("[web3] == rollback"))).toContain(ended);
  expect(verdictOf(rejected)).toMatchObject({ exit: 1, status: "rolled-back", "failed-units": ["bad.service"] });
  expect(await trial.systems("web3")).toEqual(before);

  // Control: longer than the runs, it still waits for her.
  expect(performance.now() - since).toBeGreaterThan(60_000);
  expect((await control.exec("systemctl is-active plain-switch")).stdout.trim()).toBe("active");
  await control.output("systemctl stop plain-switch; systemctl reset-failed");
});

/** A system that alice and bob activate only when one of them has left. */
const waiting: Behaviour = {
  userUnits: {
    "nixos-activation.service":
      "[Unit]\nDescription=waits\n[Service]\nType=oneshot\nExecStart=/bin/sh -c 'case $(id -un) in alice | bob) touch /tmp/waits-$(id -un); until [ -e /tmp/left ]; do sleep 0.1; done ;; esac'\n",
  },
  userOnDemand: ["nixos-activation.service"],
  units: { "late.service": runningUnit() },
};

/** Has one of alice and bob log out while switch-to-configuration waits for the other one. */
async function logOut(name: string): Promise<void> {
  const machine = trial.machine(name);
  const waits = async (user: string): Promise<boolean> => (await machine.exec(`test -e /tmp/waits-${user}`)).code === 0;
  await until("the part of a user", 60, async () => (await waits("alice")) || (await waits("bob")));
  const other = (await waits("alice")) ? "bob" : "alice";
  await machine.output(`systemd-run --quiet --wait loginctl disable-linger ${other}`);
  await until("the user to leave", 30, async () => (await machine.exec(`loginctl show-user ${other}`)).code !== 0);
  await machine.output("touch /tmp/left");
}

test("a user who logs out in the middle of the switch vetoes nothing: it is run again, and otherwise it ends before it starts a unit", async () => {
  // As after logind's own delay of 10 s.
  for (const name of ["web1", "web2"])
    await trial.machine(name).output("printf '[Login]\\nUserStopDelaySec=0\\n' >/etc/systemd/logind.conf.d/rig.conf && systemctl restart systemd-logind");
  for (const user of ["alice", "bob"]) await Promise.all(["web1", "web2"].map(async (name) => await add(user, name)));
  const built = String((await trial.deploy(waiting, { operation: "build" }, "web2")).outputs["system-path"]);
  const control = trial.machine("web2").exec(`${built}/bin/switch-to-configuration test`);
  await logOut("web2");
  const { code, stderr } = await control;
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^Error: Failed to get (GID|runtime directory) for (alice|bob)$/m)]);
  expect((await trial.machine("web2").exec("systemctl is-active late.service")).stdout.trim()).toBe("inactive");

  const going = trial.fleet.runner.start(trial.step(await trial.flake(waiting)));
  await logOut("web1");
  const run = await going.finished;
  expect(run.log).toContain("nix-flake-deploy: a user logged out during the switch; running switch-to-configuration again");
  expect(verdictOf(run)).toMatchObject({ exit: 0, status: "deployed" });
  expect((await trial.machine().exec("systemctl is-active late.service")).stdout.trim()).toBe("active");
});
