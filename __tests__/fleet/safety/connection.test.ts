import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { beforeEach, describe, expect, test } from "@jest/globals";

import { asset } from "../rig/checkout.js";
import { until } from "../rig/command.js";
import { useTrial, verdictOf, type Systems } from "./trial.js";

// Connections that break in the middle, and machines that cannot be reached again.
const unprotected = { rollback: "false" };
const activating = /\] activating the configuration/;
// web2 is for controls that take their time: they run beside the case itself.
const trial = useTrial(["web1", "web2"], ["web1", "web2"]);
let before: Systems;

beforeEach(async () => {
  before = await trial.systems();
});

/** The lines of the switch in the log as it came, without the group of the whole log at the end. */
function switchLines(log: string): string[] {
  const live = log.replaceAll(/^::group::.*?^::endgroup::$/gms, "");
  return [...live.matchAll(/^\[web1\] (switching, .*)$/gm)].map((match) => match[1] ?? "");
}

describe("a connection that breaks in the middle of the switch", () => {
  // A line each quarter of a second, for ten seconds.
  const slow = { switchScript: "for n in $(seq 40); do echo switching, line $n; sleep 0.25; done; echo once >>/run/switched", exitCode: 0 };
  const lines = Array.from({ length: 40 }, (_, index) => `switching, line ${index + 1}`);

  test("the network is away for 8 s: the log has neither gap nor repetition, and the machine is deployed", async () => {
    const machine = trial.machine();
    await machine.output("rm -f /run/switched");
    const going = trial.fleet.runner.start(trial.step(await trial.flake(slow), { "confirm-timeout": "30" }));
    await going.waitFor(/switching, line 4$/m);
    await machine.cutOff();
    await new Promise((resolve) => setTimeout(resolve, 8000));
    await machine.restore();
    const run = await going.finished;
    expect(verdictOf(run)).toMatchObject({ exit: 0, status: "deployed", "exit-code": 0 });
    expect((await trial.systems()).current).toBe(run.outputs["system-path"]);
    expect(switchLines(run.log)).toEqual(lines);
    expect(await machine.output("cat /run/switched")).toBe("once");
  });

  test("sshd ends the session: the action connects again, activates nothing twice, and reports the true exit code", async () => {
    const machine = trial.machine();
    // Not the build of the test before: the way back would print its lines.
    before = await trial.settle();
    await machine.output("rm -f /run/switched");
    const shorter = { ...slow, switchScript: slow.switchScript.replace("0.25", "0.1"), exitCode: 100 };
    const going = trial.fleet.runner.start(trial.step(await trial.flake(shorter)));
    await going.waitFor(/switching, line 4$/m);
    await machine.output("kill $(ps -eo pid=,args= | awk '/[s]shd-session: root@/ { print $1 }')");
    const run = await going.finished;
    expect(run.log).toContain("[web1] the connection was lost");
    expect(run.log).toContain("[web1] reconnected");
    expect(verdictOf(run)).toMatchObject({ exit: 1, status: "rolled-back", "exit-code": 100 });
    expect(switchLines(run.log)).toEqual(lines);
    expect(await machine.output("cat /run/switched")).toBe("once");
    expect(await trial.systems()).toEqual(before);
  });

  test("control: a plain nixos-rebuild over ssh is lost with its connection, and leaves the machine half switched", async () => {
    const machine = trial.machine();
    await machine.output("rm -f /run/switched");
    // The implementation in bash: the one in Python follows the journal from systemd 261 on, and its switch goes on without a reader.
    const program = path.join(machine.root, "usr/local/bin/nixos-rebuild");
    const python = readFileSync(program);
    writeFileSync(program, readFileSync(asset("nixos-rebuild-bash.sh")));
    const built = await trial.fleet.runner.run(trial.step(await trial.flake(slow), { operation: "build" }));
    const system = String(built.outputs["system-path"]);
    await trial.fleet.runner.exec("umask 077; cat >/root/plain-key", { stdin: trial.fleet.key.secret });
    await trial.fleet.runner.exec("cat >/root/plain-hosts", { stdin: trial.fleet.knownHosts() });
    const options = "-i /root/plain-key -o UserKnownHostsFile=/root/plain-hosts -o ServerAliveInterval=1 -o ServerAliveCountMax=2";
    const plain = trial.fleet.runner.exec(`ssh ${options} root@web1 nixos-rebuild switch --flake 'path:${built.outputs["store-path"]}#web1'`);
    await until("the switch", 30, async () => (await machine.exec("systemctl is-active nixos-rebuild-switch-to-configuration")).code === 0);
    await machine.cutOff();
    const end = await plain;
    await machine.restore();
    await until("the switch to end", 30, async () => (await machine.exec("systemctl is-active nixos-rebuild-switch-to-configuration")).code !== 0);
    // ssh cannot tell how it ended. The machine has the new profile, and a switch that was cut short where it next printed a line.
    expect(end.code).toBe(255);
    expect((await trial.systems()).profile).toBe(system);
    expect((await machine.exec("cat /run/switched")).code).not.toBe(0);
    writeFileSync(program, python);
    await trial.repair(before);
  });
});

describe("a machine that is not reached again", () => {
  test("the new system breaks the network: it rolls back within confirm-timeout and ten seconds", async () => {
    const other = await trial.systems("web2");
    const [run, control] = await Promise.all([
      trial.deploy({ networkBroken: true }, { "confirm-timeout": "5" }),
      trial.deploy({ networkBroken: true }, { ...unprotected, timeout: "25" }, "web2"),
    ]);
    expect(verdictOf(run)).toMatchObject({ exit: 1, status: "rolled-back", phase: "confirm", error: expect.stringContaining("confirm-timeout (5 s)") });
    expect(await trial.systems()).toEqual(before);
    const journal = await trial.machine().output("journalctl --no-pager -o short-unix | grep -E 'Started nix-flake-deploy-.*(activate|confirm).service'");
    const [end, start] = journal
      .trim()
      .split("\n")
      .map((line) => Number(line.split(" ")[0]))
      .toReversed();
    expect((end ?? 0) - (start ?? 0)).toBeLessThan(15);

    expect(verdictOf(control)).toMatchObject({ exit: 1, status: "unknown" });
    expect(await trial.machine("web2").answers()).toBe(false);
    await trial.repair(other, "web2");
    expect(await trial.machine("web2").answers()).toBe(true);
  });

  test("the new system refuses new connections while old ones live on: it rolls back", async () => {
    // Masked as well: a switch starts the targets that are active again, and with them what they want.
    const listening = { switchScript: "systemctl unmask --runtime ssh.service ssh.socket; systemctl start ssh.service" };
    const deaf = { switchScript: "systemctl mask --runtime --now ssh.service ssh.socket" };
    const [old, other] = await Promise.all([trial.settle(listening), trial.settle(listening, "web2")]);
    const [run, control] = await Promise.all([trial.deploy(deaf, { "confirm-timeout": "4" }), trial.deploy(deaf, { ...unprotected, timeout: "25" }, "web2")]);
    expect(verdictOf(run)).toMatchObject({ exit: 1, status: "rolled-back", phase: "confirm", error: expect.stringContaining("confirm-timeout (4 s)") });
    expect(await trial.systems()).toEqual(old);

    // It was told of the end of the switch: the old connection was there.
    expect(control.log).toContain("[web2] == confirm");
    expect(verdictOf(control)).toMatchObject({ exit: 1, status: "unknown" });
    expect(await trial.machine("web2").output("ss -Hltn sport = :22")).toBe("");
    await trial.repair(other, "web2");
  });

  test("its login over ssh takes longer than confirm-timeout, and ssh answers in time: it is deployed, and without the connection from before it rolls back", async () => {
    const other = await trial.settle({}, "web2");
    // sshd lets nobody in for 8 s.
    const slow = "sed -i '1i account optional pam_exec.so /bin/sleep 8' /etc/pam.d/sshd";
    const alone = `${slow}; kill $(ps -eo pid=,args= | awk '/[s]shd-session: root@/ { print $1 }')`;
    const [run, control] = await Promise.all([
      trial.deploy({ switchScript: slow }, { "confirm-timeout": "4" }),
      trial.deploy({ switchScript: alone }, { "confirm-timeout": "4" }, "web2"),
    ]);
    for (const name of ["web1", "web2"]) await trial.machine(name).output("sed -i /pam_exec/d /etc/pam.d/sshd");
    expect(run.log).toContain("the machine answers over ssh, but the login is slow");
    expect(verdictOf(run)).toMatchObject({ exit: 0, status: "deployed" });
    expect((await trial.systems()).profile).toBe(run.outputs["system-path"]);

    expect(verdictOf(control)).toMatchObject({
      exit: 1,
      status: "rolled-back",
      phase: "confirm",
      error: expect.stringContaining("the machine answered in time, but the login over ssh took longer than confirm-timeout (4 s)"),
    });
    expect(await trial.systems("web2")).toEqual(other);
  });

  test("the machine is lost until the timeout of the run: it is unknown, and does what the message says", async () => {
    const other = await trial.systems("web2");
    const lose = async (name: string, inputs: Readonly<Record<string, string>>) => {
      const always = { targets: `root@${name}`, timeout: "25", "confirm-timeout": "2" };
      const going = trial.fleet.runner.start(trial.step(await trial.flake({ switchSeconds: 2 }, name), { ...always, ...inputs }));
      await going.waitFor(activating);
      await trial.machine(name).cutOff();
      const run = await going.finished;
      await trial.machine(name).restore();
      return run;
    };
    const [run, control] = await Promise.all([lose("web1", {}), lose("web2", unprotected)]);
    expect(verdictOf(run)).toMatchObject({ exit: 1, status: "unknown", error: expect.stringContaining("rolls back on its own") });
    expect(verdictOf(run)["error"]).toContain(`old system: ${before.current}; new system: ${run.outputs["system-path"]}`);
    await trial.backAt(before);
    await trial.forget();

    expect(verdictOf(control)).toMatchObject({ exit: 1, status: "unknown", error: expect.stringContaining("false") });
    expect((await trial.systems("web2")).current).toBe(control.outputs["system-path"]);
    await trial.repair(other, "web2");
  });
});
