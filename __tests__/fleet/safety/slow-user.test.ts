import { expect, test } from "@jest/globals";

import { until } from "../rig/command.js";
import { failingUnit, type Behaviour } from "../rig/flake.js";
import { useTrial, verdictOf } from "./trial.js";

// switch-to-configuration waits for each user's own activation without a limit: a user could hold every deployment up for ever.
const trial = useTrial(["web1", "web2"], ["web1", "web2"]);
const ended = "nix-flake-deploy: the user activation for alice timed out after 60 s";

/** A system whose activation never ends for alice. */
const endless: Behaviour = {
  userUnits: {
    "nixos-activation.service": `[Unit]\nDescription=never ends for alice\n[Service]\nType=oneshot\nExecStart=/bin/sh -c '[ "$(id -un)" != alice ] || exec sleep infinity'\n`,
  },
  userOnDemand: ["nixos-activation.service"],
};

async function addAlice(name: string): Promise<void> {
  await trial.machine(name).output("useradd --create-home alice && systemd-run --quiet --wait --pipe loginctl enable-linger alice");
}

test("a user's activation that never ends is ended after 60 s: degraded, naming the user, and without it the switch never ends", async () => {
  await Promise.all(["web1", "web2"].map(addAlice));
  const built = await trial.deploy(endless, { operation: "build" }, "web2");
  const control = trial.machine("web2");
  await control.output(`systemd-run --quiet --unit=plain-switch -- ${built.outputs["system-path"]}/bin/switch-to-configuration test`);
  await until("the part of alice", 60, async () => (await control.exec("pgrep -u alice -f '[s]leep infinity'")).code === 0);
  const since = performance.now();

  const run = await trial.deploy(endless);
  expect(run.log).toContain(ended);
  expect(verdictOf(run)).toMatchObject({
    exit: 0,
    status: "degraded",
    error: expect.stringMatching(/user activation failed for alice \(.*timed out after 60 s/),
  });

  // Control: longer than the run, it still waits for her.
  expect(performance.now() - since).toBeGreaterThan(60_000);
  expect((await control.exec("systemctl is-active plain-switch")).stdout.trim()).toBe("active");
  await control.output("systemctl stop plain-switch; systemctl reset-failed");
});

test("it is ended in a rollback, too", async () => {
  const before = await trial.systems();
  const run = await trial.deploy({ units: { "bad.service": failingUnit } });
  expect(run.log.slice(run.log.indexOf("[web1] == rollback"))).toContain(ended);
  expect(verdictOf(run)).toMatchObject({ exit: 1, status: "rolled-back", "failed-units": ["bad.service"] });
  expect(await trial.systems()).toEqual(before);
});
