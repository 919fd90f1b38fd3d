import { afterEach, expect, test } from "@jest/globals";

import { useTrial, verdictOf } from "./safety/trial.js";

// The programs of docs/elevation.md other than sudo itself, with the rules of that page.
const trial = useTrial(["web1"], []);
const kept = "/usr/bin/sudo.kept";
const rule = "/etc/doas.conf";
const polkitRule = "/etc/polkit-1/rules.d/10-deploy.rules";

async function write(file: string, text: string): Promise<void> {
  const { code, stderr } = await trial.machine().exec(`cat >${file} && chmod 644 ${file}`, { stdin: text });
  if (code !== 0) throw new Error(`${file} could not be written: ${stderr}`);
}

const deploy = async (inputs: Readonly<Record<string, string>>) => verdictOf(await trial.deploy({}, { targets: "deploy@web1", ...inputs }));

afterEach(async () => {
  await trial.machine().output(`rm -f /usr/local/bin/sudo ${rule} ${polkitRule}; [ ! -e ${kept} ] || mv ${kept} /usr/bin/sudo`);
});

test("sudo-rs deploys in place of sudo, with a rule and with a password", async () => {
  const machine = trial.machine();
  await machine.output(`mv /usr/bin/sudo ${kept} && ln -s /usr/bin/sudo-rs /usr/local/bin/sudo`);
  expect(await machine.output("sudo --version")).toMatch(/sudo-rs/);
  expect(await deploy({})).toMatchObject({ exit: 0, status: "deployed", error: null });
  expect(await deploy({ targets: "pwsudo@web1", "elevate-password": "open sesame" })).toMatchObject({ exit: 0, status: "deployed", error: null });
  expect(await deploy({ targets: "pwsudo@web1", "elevate-password": "close sesame" })).toMatchObject({ exit: 1, status: "failed", phase: "connect" });
  expect(await deploy({ targets: "nosudo@web1" })).toMatchObject({ exit: 1, status: "failed", phase: "connect" });
});

test("doas deploys with its rule, also where elevate is auto and there is no sudo", async () => {
  const machine = trial.machine();
  await machine.output(`mv /usr/bin/sudo ${kept}`);
  expect(await deploy({ elevate: "doas" })).toMatchObject({ exit: 1, phase: "connect", error: expect.stringContaining("doas on the machine refuses deploy") });
  await write(rule, "permit nopass deploy as root cmd /bin/sh args -s\n");
  expect(await deploy({ elevate: "doas" })).toMatchObject({ exit: 0, status: "deployed", error: null });
  expect(await deploy({})).toMatchObject({ exit: 0, status: "deployed", error: null });
});

test("run0 deploys with a rule of polkit", async () => {
  expect(await deploy({ elevate: "run0" })).toMatchObject({ exit: 1, phase: "connect", error: expect.stringContaining("run0 on the machine refuses deploy") });
  await write(
    polkitRule,
    'polkit.addRule(function(action, subject) {\n  if (action.id == "org.freedesktop.systemd1.manage-units" && subject.user == "deploy") return polkit.Result.YES;\n});\n',
  );
  expect(await deploy({ elevate: "run0" })).toMatchObject({ exit: 0, status: "deployed", error: null });
});

test("ssh-auth: none deploys where the server wants no key", async () => {
  const machine = trial.machine();
  await machine.output("passwd --delete deploy");
  expect(await deploy({ "ssh-auth": "none", "ssh-key": "" })).toMatchObject({ exit: 1, status: "failed", phase: "connect" });
  await write("/etc/ssh/sshd_config.d/none.conf", "PermitEmptyPasswords yes\nPasswordAuthentication yes\n");
  await machine.output("systemctl reload ssh");
  expect(await deploy({ "ssh-auth": "none", "ssh-key": "" })).toMatchObject({ exit: 0, status: "deployed", error: null });
});
