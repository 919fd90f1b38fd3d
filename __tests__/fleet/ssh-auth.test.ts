import { mkdirSync, writeFileSync } from "node:fs";

import { expect, test } from "@jest/globals";

import { check } from "./rig/command.js";
import { createSshKey } from "./rig/ssh-key.js";
import { useTrial, verdictOf } from "./safety/trial.js";

const trial = useTrial(["web1"], []);
const socket = "/tmp/agent.sock";

test("an agent of an earlier step is used, and no key is written", async () => {
  const { runner, key } = trial.fleet;
  await runner.exec(`ssh-agent -a ${socket} >/dev/null`);
  const step = trial.step(await trial.flake({}), { "ssh-auth": "agent", "ssh-key": "" });
  const withAgent = { ...step, env: { SSH_AUTH_SOCK: socket } };
  // Control: the agent has no key yet.
  expect(verdictOf(await runner.run(withAgent))).toMatchObject({ exit: 1, status: "failed", phase: "connect" });
  expect((await runner.exec(`SSH_AUTH_SOCK=${socket} ssh-add -q -`, { stdin: key.secret })).code).toBe(0);
  const run = await runner.run(withAgent);
  expect(verdictOf(run)).toMatchObject({ exit: 0, status: "deployed" });
  const missing = await runner.run(step);
  expect(missing.errors).toEqual([expect.stringContaining("ssh-auth: is agent, but SSH_AUTH_SOCK is not set")]);
});

test("a user certificate is used, where the machine knows only its authority", async () => {
  const machine = trial.machine();
  const [authority, key] = await Promise.all([createSshKey(), createSshKey()]);
  const directory = `${trial.fleet.directory}/certificate`;
  mkdirSync(directory);
  writeFileSync(`${directory}/authority`, authority.secret, { mode: 0o600 });
  writeFileSync(`${directory}/key.pub`, key.public);
  await check("ssh-keygen", ["-q", "-s", `${directory}/authority`, "-I", "deploy", "-n", "root", "-V", "+1h", `${directory}/key.pub`]);
  const certificate = await check("cat", [`${directory}/key-cert.pub`]);
  await machine.exec("cat >/etc/ssh/authority.pub", { stdin: authority.public });
  await machine.output("echo 'TrustedUserCAKeys /etc/ssh/authority.pub' >/etc/ssh/sshd_config.d/authority.conf && systemctl reload ssh");
  const inputs = { "ssh-key": key.secret };
  // Control: the key alone is not accepted.
  expect(verdictOf(await trial.deploy({}, inputs))).toMatchObject({ exit: 1, status: "failed", phase: "connect" });
  const run = await trial.deploy({}, { ...inputs, "ssh-certificate": certificate });
  expect(verdictOf(run)).toMatchObject({ exit: 0, status: "deployed" });
});
