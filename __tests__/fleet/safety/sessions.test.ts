import { expect, test } from "@jest/globals";

import { access, resultsOf, systemOf } from "../deployment.js";
import { statuses } from "../host-results.js";
import { writeFlake } from "../rig/flake.js";
import { useTrial } from "./trial.js";

// Machines that end the sessions in which the action waits with its next script, allow only one or two, or print when a session ends.
const trial = useTrial(["kills", "one", "two", "talks"], []);

// Kills each shell of a session that waits for its next script, one after the other.
const killer = `while sleep 0.3; do
  for pid in $(pgrep -P "$(pgrep -d , sshd-session)" -xf '/bin/sh -s'); do
    pgrep -P "$pid" >/dev/null || { kill -s KILL "$pid" && echo "$pid"; }
  done
done >/run/killed
`;
// What it prints before the command must not be on standard output, which Nix reads.
const talkingShell = `#!/bin/sh
echo running=/nowhere >&2
/bin/sh "$@"
code=$?
echo running=/nowhere
echo running=/nowhere >&2
exit "$code"
`;

test("machines that end idle sessions, allow few of them, or print when one ends are deployed at the first attempt", async () => {
  const { machines, runner, directory } = trial.fleet;
  await trial.machine("kills").exec("cat >/run/killer && systemd-run --quiet --unit=killer /bin/sh /run/killer", { stdin: killer });
  for (const [name, most] of Object.entries({ one: 1, two: 2 }))
    await trial.machine(name).output(`echo MaxSessions ${most} >/etc/ssh/sshd_config.d/sessions.conf; systemctl reload ssh`);
  await trial.machine("talks").exec("cat >/bin/talks && chmod +x /bin/talks && usermod --shell /bin/talks deploy", { stdin: talkingShell });

  const workspace = await writeFlake(`${directory}/flake`, Object.fromEntries(machines.map(({ name }) => [name, { text: "new", buildSeconds: 2 }])));
  const targets = "root@kills\nroot@one\ndeploy@two\ndeploy@talks";
  const run = await runner.run({ workspace, inputs: { ...access(trial.fleet), targets, retries: "0", "health-check": "echo fine", "settle-time": "1" } });
  await trial.machine("kills").output("systemctl stop killer");
  expect(statuses(run)).toEqual({ kills: "deployed", one: "deployed", two: "deployed", talks: "deployed" });
  for (const machine of machines) {
    const system = String(resultsOf(run)[machine.name]?.["system-path"]);
    expect(await systemOf(machine)).toMatchObject({ running: system, profile: system });
  }
  // Controls: each of them did so.
  expect(await trial.machine("kills").output("cat /run/killed")).toMatch(/^\d+$/m);
  for (const name of ["one", "two"]) expect(run.log).toContain(`[${name}] sshd on the machine allows too few sessions on one connection`);
});
