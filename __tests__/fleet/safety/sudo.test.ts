import { expect, test } from "@jest/globals";

import { beforeProgram, remoteCommand } from "../../../src/nixos/remote-shell.js";
import { passwordRights } from "../rig/machine-files.js";
import { useTrial, verdictOf } from "./trial.js";

// A deploy user with the sudoers rules of docs/how-it-works.md.
const trial = useTrial(["web1", { name: "web2", suite: "trixie", rebuild: "bash" }], []);

test("the fleet's users have one line of sudoers each, and nothing more", async () => {
  const rights = async (user: string) =>
    (await trial.machine().output(`sudo -l -U ${user} | sed -n '/may run/,$p' | tail -n +2`)).split("\n").map((line) => line.trim());
  expect(await rights("deploy")).toEqual(["(root) NOPASSWD: /bin/sh -s"]);
  expect(await rights("pwsudo")).toEqual(["(root) /bin/sh -s"]);
  expect((await trial.machine().exec("runuser -u deploy -- sudo -n -- /usr/bin/id")).code).toBe(1);
  expect((await trial.machine().exec("echo id | runuser -u deploy -- sudo -n -- /bin/sh -s")).stdout).toContain("uid=0(root)");
});

// Writes down, many times a second, where the password is seen: argument lists and environments of all processes. It is not in
// the watcher's own.
const watcher = `
import glob, time
word = b"open" + b" sesame"
while True:
    for place in glob.glob("/proc/[0-9]*/cmdline") + glob.glob("/proc/[0-9]*/environ"):
        try:
            text = open(place, "rb").read()
        except OSError:
            continue
        if word in text:
            open("/run/seen", "a").write(place + "\\n")
    time.sleep(0.005)
`;

async function watch(name: string): Promise<void> {
  const machine = trial.machine(name);
  await machine.exec("cat >/run/watcher.py", { stdin: watcher });
  await machine.output("rm -f /run/seen; setsid python3 /run/watcher.py >/dev/null 2>&1 </dev/null & echo $! >/run/watcher");
}

async function seen(name: string): Promise<string> {
  return (await trial.machine(name).exec("cat /run/seen")).stdout;
}

test.each(["web1", "web2"])("on %s, elevate-password goes by standard input: no argument list, no environment, no log has it", async (name) => {
  const machine = trial.machine(name);
  await watch(name);
  // The watcher sees what is to be seen.
  await machine.output("word='open sesame' sh -c 'sleep 1' sh 'open sesame'");
  expect(await seen(name)).toMatch(/cmdline[^]*environ|environ[^]*cmdline/);
  await machine.output("rm /run/seen");

  const run = await trial.deploy({}, { targets: `pwsudo@${name}`, "elevate-password": "open sesame", "health-check": "true" }, name);
  await machine.output("kill $(cat /run/watcher)");
  expect(verdictOf(run)).toMatchObject({ exit: 0, status: "deployed" });
  expect(await seen(name)).toBe("");
  expect(run.masks).toContain("open sesame");
  expect(run.log.replaceAll(/^::add-mask::.*$/gm, "")).not.toContain("open sesame");
  expect(await machine.output("journalctl --no-pager | grep -cF 'open sesame' || true")).toBe("0");
  expect(await machine.leftovers()).toEqual([]);
});

test("a wrong elevate-password is reported", async () => {
  const run = await trial.deploy({}, { targets: "pwsudo@web1", "elevate-password": "close sesame" });
  expect(verdictOf(run)).toMatchObject({ exit: 1, status: "failed", phase: "connect", error: expect.stringContaining("rejected elevate-password") });
  expect(await trial.machine().leftovers()).toEqual([]);
});

/** Runs work with another password for pwsudo, and puts rights and password back. */
async function withPassword(name: string, password: string, work: () => Promise<void>): Promise<void> {
  const machine = trial.machine(name);
  const set = async (word: string): Promise<void> => await feed(name, "chpasswd", `pwsudo:${word}\n`);
  await set(password);
  try {
    await work();
  } finally {
    await set("open sesame");
    await setRights(name, passwordRights);
    await machine.output("rm -f /root/pwned");
  }
}

async function feed(name: string, script: string, stdin: string): Promise<void> {
  const { code, stderr } = await trial.machine(name).exec(script, { stdin });
  if (code !== 0) throw new Error(`${script} exited with ${code}: ${stderr}`);
}

async function setRights(name: string, line: string): Promise<void> {
  await feed(name, "cat >/etc/sudoers.d/.new && chmod 440 /etc/sudoers.d/.new && mv /etc/sudoers.d/.new /etc/sudoers.d/pwsudo", line);
}

const withoutPassword = passwordRights.replace("(root)", "(root) NOPASSWD:");
const attack = "touch /root/pwned";
const isAttacked = async (name: string): Promise<boolean> => (await trial.machine(name).exec("test -e /root/pwned")).code === 0;

test("control: a password on the root shell's standard input is run where sudo does not ask for it", async () => {
  await withPassword("web1", attack, async () => {
    await setRights("web1", withoutPassword);
    await trial.machine().exec("runuser -u pwsudo -- sudo -k -S -p '' -- /bin/sh -s", { stdin: `${attack}\n` });
    expect(await isAttacked("web1")).toBe(true);
  });
});

test.each(["web1", "web2"])("on %s, a password that is a command is not run when the switch itself ends sudo's questions", async (name) => {
  await withPassword(name, attack, async () => {
    const activationScript = `echo '${withoutPassword.trim()}' >/etc/sudoers.d/pwsudo; chmod 440 /etc/sudoers.d/pwsudo`;
    const run = await trial.deploy({ activationScript }, { targets: `pwsudo@${name}`, "elevate-password": attack }, name);
    expect(verdictOf(run)).toMatchObject({ exit: 0, status: "deployed" });
    expect(await trial.machine(name).output("cat /etc/sudoers.d/pwsudo")).toBe(withoutPassword.trim());
    expect(await isAttacked(name)).toBe(false);
  });
  await trial.settle({}, name);
});

// The user's login shell may be another than /bin/sh.
const odd = [attack, "'; touch /root/pwned; '", '"$(touch /root/pwned)`touch /root/pwned`', "-n", "---", "#", String.raw`a\nb%s\\`, "x".repeat(200)];
test.each(["dash", "bash"])("the real sudo takes odd passwords through %s, and its root shell reads none", async (shell) => {
  for (const password of odd) {
    const sudo = { kind: "password", password } as const;
    await withPassword("web1", password, async () => {
      for (const rights of [passwordRights, withoutPassword]) {
        await setRights("web1", rights);
        const call = remoteCommand(sudo).replace("/bin/sh", shell);
        const { code, stdout, stderr } = await trial.machine().exec(`runuser -u pwsudo -- ${call}`, { stdin: `${beforeProgram(sudo)}id -un; cat; exit 7\n` });
        expect({ password, code, stdout, stderr }).toEqual({ password, code: 7, stdout: "root\n", stderr: "" });
      }
      expect(await isAttacked("web1")).toBe(false);
    });
  }
});
