import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";

import { until } from "../rig/command.js";
import { Trial, verdictOf } from "./trial.js";

// A deploy user with the README's lines of sudoers.
jest.setTimeout(120_000);
let trial: Trial;

beforeAll(async () => {
  trial = await Trial.start(["web1", { name: "web2", suite: "trixie", rebuild: "bash" }]);
});
afterAll(async () => {
  await trial.stop();
});

test("the fleet's users have one line of sudoers each, and nothing more", async () => {
  const rights = async (user: string) =>
    (await trial.machine().output(`sudo -l -U ${user} | sed -n '/may run/,$p' | tail -n +2`)).split("\n").map((line) => line.trim());
  expect(await rights("deploy")).toEqual(["(root) NOPASSWD: /bin/sh -s"]);
  expect(await rights("pwsudo")).toEqual(["(root) /bin/sh -s"]);
  expect((await trial.machine().exec("runuser -u deploy -- sudo -n -- /usr/bin/id")).code).toBe(1);
  expect((await trial.machine().exec("echo id | runuser -u deploy -- sudo -n -- /bin/sh -s")).stdout).toContain("uid=0(root)");
});

/** Writes down, many times a second, each place on the machine where the password is seen: argument lists, environments. */
async function watch(name: string): Promise<void> {
  await trial.machine(name).output(
    `printf '%s' 'open ses' >/run/watched; printf 'ame' >>/run/watched; rm -f /run/seen
    cat >/run/watch <<'END'
    while :; do
      for process in /proc/[0-9]*; do
        for place in cmdline environ; do
          # The password stands in no argument of the watcher itself.
          if tr '\\0' ' ' <"$process/$place" 2>/dev/null | grep -q -F -f /run/watched; then echo "$place $(tr '\\0' ' ' <"$process/cmdline")" >>/run/seen; fi
        done
      done
    done
END
    setsid bash /run/watch >/dev/null 2>&1 </dev/null &
    echo $! >/run/watcher`,
  );
}

async function seen(name: string): Promise<string> {
  return (await trial.machine(name).exec("cat /run/seen")).stdout;
}

test.each(["web1", "web2"])("on %s, sudo-password goes by standard input: no argument list, no environment, no log has it", async (name) => {
  const machine = trial.machine(name);
  await watch(name);
  // The watcher sees what is to be seen.
  await machine.output("word='open sesame' sh -c 'sleep 2' sh 'open sesame' & true");
  await until("the watcher", 10, async () => /cmdline[^]*environ|environ[^]*cmdline/.test(await seen(name)));
  await machine.output("sleep 2; rm /run/seen");

  const run = await trial.deploy({ switchSeconds: 1 }, { targets: `pwsudo@${name}`, "sudo-password": "open sesame", "health-check": "true" }, name);
  await machine.output("kill $(cat /run/watcher)");
  expect(verdictOf(run)).toMatchObject({ exit: 0, status: "deployed" });
  expect(await seen(name)).toBe("");
  expect(run.masks).toContain("open sesame");
  expect(run.log.replaceAll(/^::add-mask::.*$/gm, "")).not.toContain("open sesame");
  expect(await machine.output("journalctl --no-pager | grep -c -F -f /run/watched || true")).toBe("0");
  expect(await machine.leftovers()).toEqual([]);
});

test("a wrong sudo-password is told", async () => {
  const run = await trial.deploy({}, { targets: "pwsudo@web1", "sudo-password": "close sesame" });
  expect(verdictOf(run)).toMatchObject({ exit: 1, status: "failed", phase: "connect", error: expect.stringContaining("does not accept sudo-password") });
  expect(await trial.machine().leftovers()).toEqual([]);
});
