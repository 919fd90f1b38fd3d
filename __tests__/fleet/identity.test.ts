import { writeFileSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { access, expectGreen, expectNothingLeft, resultsOf } from "./deployment.js";
import { writeFlake } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";
import type { Machine } from "./rig/machine.js";
import type { StepResult } from "./rig/runner.js";
import { createSshKey, type SshKey } from "./rig/ssh-key.js";

let fleet: Fleet;
let web1: Machine;
let web2: Machine;
let encrypted: SshKey;
let stranger: SshKey;
let userFiles: string;
const passphrase = ` it's "quite" $secret %s \\ `;
const secrets: string[] = [];

// The ssh of the runner's own user, which no run may read or change: with it, no connection comes about.
const listUserFiles = "cd /root/.ssh && for f in $(find . | sort); do stat -c '%n %a %s %Y %i' $f; done; cat /root/.ssh/*";

beforeAll(async () => {
  fleet = await Fleet.start([
    { name: "web1", systemProfile: true },
    { name: "web2", systemProfile: true, sshPort: 2222 },
  ]);
  web1 = fleet.machine("web1");
  web2 = fleet.machine("web2");
  await writeFlake(`${fleet.directory}/flake`, { web1: {}, web2: {} }, { git: true });
  [encrypted, stranger] = await Promise.all([createSshKey({ passphrase }), createSshKey()]);
  web1.authorize(encrypted.public);
  const { code } = await fleet.runner.exec(
    `mkdir -p -m 700 /root/.ssh && cd /root/.ssh && cat > id_ed25519 && chmod 600 id_ed25519 &&
    printf 'Host *\\n  ProxyCommand false\\n' > config && echo 'web1 ssh-ed25519 AAAA' > known_hosts && touch -d 2020-01-01 . *`,
    { stdin: stranger.secret },
  );
  if (code !== 0) throw new Error("the runner's user has no ssh of its own");
  userFiles = (await fleet.runner.exec(listUserFiles)).stdout;
  secrets.push(fleet.key.secret, encrypted.secret, stranger.secret);
});

afterAll(async () => {
  await fleet?.stop();
});

/** Builds on web1, which is all that a key is needed for. Whatever comes of it: nothing of a key is left, or in the log. */
async function enter(inputs: Readonly<Record<string, string>>): Promise<StepResult> {
  const run = await fleet.runner.run({
    inputs: { ...access(fleet), targets: "root@web1", operation: "build", retries: "0", ...inputs },
    workspace: `${fleet.directory}/flake`,
  });
  await expectNothingLeft(run, fleet.machines);
  expect((await fleet.runner.exec(listUserFiles)).stdout).toBe(userFiles);
  // The runner obeys what masks a secret, and shows none of it.
  const shown = run.log.replaceAll(/^::add-mask::.*$/gm, "") + JSON.stringify(run.outputs) + JSON.stringify(run.state) + run.summary + (run.post?.log ?? "");
  // Each line of each key, but for the beginning that all keys of a kind have in common.
  const lines = [...secrets, inputs["ssh-key"] ?? ""].flatMap((secret) => secret.split(/\r?\n/).slice(2, -2));
  for (const line of lines.filter((text) => text.length > 10)) expect(shown).not.toContain(line);
  return run;
}

/** Fails unless the machine was entered with the key. */
async function entered(inputs: Readonly<Record<string, string>>): Promise<StepResult> {
  const run = await enter(inputs);
  await expectGreen(run, fleet.machines);
  expect(run.outputs).toMatchObject({ status: "planned", failed: "0" });
  return run;
}

describe("a key as people paste it", () => {
  test.each<[string, (secret: string) => string]>([
    ["as it is", (secret) => secret],
    ["with CRLF", (secret) => secret.replaceAll("\n", "\r\n")],
    ["without its last newline", (secret) => secret.trimEnd()],
    ["as base64 of the file, in lines", (secret) => Buffer.from(secret).toString("base64").replaceAll(/.{76}/g, "$&\n")],
  ])("%s lets the action in", async (_, paste) => {
    web1.forgetHandshakes();
    await entered({ "ssh-key": paste(fleet.key.secret) });
    expect(web1.handshakes()).toMatchObject({ connections: 1, accepted: 1 });
  });

  test("with a passphrase, which is masked and nowhere else", async () => {
    const run = await entered({ "ssh-key": encrypted.secret, "ssh-key-passphrase": `${passphrase}\n` });
    expect(run.masks).toContain(passphrase);
    const obeyed = run.log.split("\n").filter((line) => !line.startsWith("::add-mask::"));
    expect(obeyed.join("\n")).not.toContain("$secret");
  });

  test.each(["ecdsa", "rsa"] as const)("of the type %s", async (type) => {
    const key = await createSshKey({ type });
    expect((await enter({ "ssh-key": key.secret })).exitCode).toBe(1);
    web1.authorize(key.public);
    await entered({ "ssh-key": key.secret });
  });
});

describe("a key that cannot be used has a message of its own, and no machine is touched", () => {
  const lines = (secret: string): string[] => secret.trimEnd().split("\n");
  // The last bytes of an unencrypted key are its padding and comment; in the middle stand the numbers.
  const damage = (secret: string): string => {
    const [head = "", ...body] = lines(secret);
    const bytes = Buffer.from(body.slice(0, -1).join(""), "base64");
    const middle = Math.floor(bytes.length * 0.6);
    bytes.fill(0x5a, middle, middle + 16);
    return [head, bytes.toString("base64"), body.at(-1)].join("\n");
  };
  const cases: [string, () => Record<string, string>, RegExp][] = [
    ["empty", () => ({ "ssh-key": "" }), /ssh-key: is empty\. A secret that does not exist/],
    ["of blanks", () => ({ "ssh-key": " \r\n\t\n" }), /ssh-key: is empty\. A secret that does not exist/],
    ["public", () => ({ "ssh-key": fleet.key.public }), /ssh-key: is a public key/],
    [
      "without its end",
      () => ({ "ssh-key": lines(fleet.key.secret).slice(0, -1).join("\n") }),
      /ssh-key: is truncated: its last line \(-----END OPENSSH PRIVATE KEY-----\) is missing/,
    ],
    ["without its beginning", () => ({ "ssh-key": lines(fleet.key.secret).slice(1).join("\n") }), /ssh-key: is truncated: its first line/],
    [
      "without its middle",
      () => ({ "ssh-key": lines(fleet.key.secret).toSpliced(2, 2).join("\n") }),
      /ssh-key: is truncated or damaged: its content is incomplete/,
    ],
    ["with blanks for newlines", () => ({ "ssh-key": lines(fleet.key.secret).join(" ") }), /ssh-key: has lost its line breaks/],
    ["damaged", () => ({ "ssh-key": damage(fleet.key.secret) }), /ssh-key: is damaged: ssh-keygen cannot read it/],
    ["of PuTTY", () => ({ "ssh-key": "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n" }), /ssh-key: is a PuTTY key; convert it to an OpenSSH key/],
    ["of age", () => ({ "ssh-key": "AGE-SECRET-KEY-1QQQQ" }), /ssh-key: is an age key/],
    ["no key at all", () => ({ "ssh-key": "hunter2" }), /ssh-key: is not a private ssh key/],
    ["encrypted, without a passphrase", () => ({ "ssh-key": encrypted.secret }), /ssh-key: is encrypted; set ssh-key-passphrase/],
    [
      "encrypted, with the passphrase of another one",
      () => ({ "ssh-key": encrypted.secret, "ssh-key-passphrase": "wrong" }),
      /ssh-key: is encrypted, and ssh-key-passphrase does not match/,
    ],
  ];
  test.each(cases)("%s", async (_, inputs, message) => {
    web1.forgetHandshakes();
    const run = await enter(inputs());
    expect(run.exitCode).toBe(1);
    expect(run.errors).toEqual([expect.stringMatching(message)]);
    expect(run.outputs).toMatchObject({ status: "failed", "store-path": "", changed: "false" });
    expect(web1.handshakes().connections).toBe(0);
  });

  test("that the machine does not accept fails in the phase connect and names the user to add it to", async () => {
    const run = await enter({ "ssh-key": stranger.secret });
    expect(run.exitCode).toBe(1);
    expect(run.errors).toEqual([
      expect.stringMatching(/web1 port 22 does not accept the ssh key for the user root\. .*users\.users\.root\.openssh\.authorizedKeys\.keys/),
    ]);
    expect(resultsOf(run)["web1"]).toMatchObject({ status: "failed", phase: "connect", "exit-code": 255 });
  });
});

describe("the host key", () => {
  async function fingerprint(machine: Machine): Promise<string> {
    const [, print = ""] = (await machine.output("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")).split(" ");
    expect(print).toMatch(/^SHA256:.{43}$/);
    return print;
  }
  const targets = "root@web2:2222";
  const lineFor = (machine: Machine): string => {
    const [, type, key] = machine.hostKeyLine().trim().split(" ");
    return `[web2]:2222 ${type} ${key}`;
  };

  test("that is unknown is refused, with a line that lets it in", async () => {
    const run = await enter({ targets, "ssh-known-hosts": web1.hostKeyLine() });
    expect(run.exitCode).toBe(1);
    const [error = ""] = run.errors;
    expect(error).toContain(`the host key of web2 port 2222 is unknown (offered: ssh-ed25519 ${await fingerprint(web2)})`);
    expect(resultsOf(run)["web2"]).toMatchObject({ status: "failed", phase: "connect", "exit-code": 255 });
    const line = /add this line to ssh-known-hosts: (.*)/.exec(error)?.[1] ?? "";
    expect(line).toBe(lineFor(web2));
    await entered({ targets, "ssh-known-hosts": line });
  });

  test("that is unknown is accepted once without ssh-strict, with a warning that shows it", async () => {
    const run = await entered({ targets: `${targets}\nroot@web1`, "ssh-known-hosts": web1.hostKeyLine(), "ssh-strict": "false" });
    expect(run.annotations).toEqual([
      {
        level: "warning",
        title: "web2",
        message: expect.stringContaining(`the unknown host key of web2 port 2222 was accepted: ssh-ed25519 ${await fingerprint(web2)}`),
      },
    ]);
    expect(run.annotations[0]?.message).toContain(lineFor(web2));
    // Not remembered.
    const again = await enter({ targets, "ssh-known-hosts": web1.hostKeyLine() });
    expect(again.errors).toEqual([expect.stringContaining("is unknown")]);
  });

  test("that is known is no warning without ssh-strict", async () => {
    const run = await entered({ targets, "ssh-known-hosts": `# all of them\n${fleet.knownHosts()}`, "ssh-strict": "false" });
    expect(run.annotations).toEqual([]);
  });

  test("that has changed is refused, strict or not, until the line is replaced", async () => {
    const former = await web2.replaceHostKey();
    for (const strict of ["true", "false"]) {
      const run = await enter({ targets, "ssh-known-hosts": former, "ssh-strict": strict });
      expect(run.exitCode).toBe(1);
      expect(run.errors).toEqual([
        expect.stringContaining(`the host key of web2 port 2222 does not match ssh-known-hosts (offered: ssh-ed25519 ${await fingerprint(web2)})`),
      ]);
      expect(run.errors[0]).toContain(`replace the old line with this one: ${lineFor(web2)}`);
      expect(resultsOf(run)["web2"]).toMatchObject({ status: "failed", phase: "connect" });
    }
    await entered({ targets, "ssh-known-hosts": lineFor(web2) });
  });
});

describe("further lines of ssh_config", () => {
  const through = (jump: string): { targets: string; "ssh-config": string } => ({
    targets: `root@${web2.ipv4}:2222`,
    "ssh-config": `Host ${web2.ipv4}\n  ProxyJump ${jump}\n`,
  });

  test("lead through a jump host", async () => {
    web1.forgetHandshakes();
    web2.forgetHandshakes();
    await entered(through("root@web1"));
    expect(web1.handshakes().accepted).toBe(1);
    expect(web2.handshakes().lines.join("\n")).toContain(`Connection from ${web1.ipv4}`);
  });

  test("name a jump host whose key is unknown: refused with its line, or accepted with a warning", async () => {
    const [, type, key] = web1.hostKeyLine().trim().split(" ");
    const strict = await enter({ ...through("root@web1"), "ssh-known-hosts": web2.hostKeyLine() });
    expect(strict.exitCode).toBe(1);
    expect(strict.errors).toEqual([expect.stringMatching(/the host key of web1 port 22 is unknown \(offered: ssh-ed25519 SHA256:/)]);
    expect(strict.errors[0]).toContain(`add this line to ssh-known-hosts: web1 ${type} ${key}`);
    const lax = await entered({ ...through("root@web1"), "ssh-known-hosts": web2.hostKeyLine(), "ssh-strict": "false" });
    expect(lax.annotations).toEqual([
      { level: "warning", title: web2.ipv4, message: expect.stringContaining("the unknown host key of web1 port 22 was accepted") },
    ]);
  });

  test.each([
    ["nobody@web1", "the jump host web1 does not accept the ssh key for the user nobody"],
    ["root@web1:99", "web1 port 99 refused the connection"],
    ["root@nowhere.test", "the host name nowhere.test cannot be resolved"],
  ])("name the jump host %s, which is the one to blame", async (jump, message) => {
    const run = await enter(through(jump));
    expect(run.exitCode).toBe(1);
    expect(run.errors).toEqual([expect.stringContaining(message)]);
  });

  test("name a jump host that cannot reach the machine", async () => {
    const run = await enter({ targets: "root@web2:2222", "ssh-config": "Host web2\n  ProxyJump root@web1\n" });
    expect(run.exitCode).toBe(1);
    expect(run.errors).toEqual([expect.stringContaining("the jump host cannot reach web2 port 2222")]);
  });

  test("cannot change how the host key is checked, or which key is used", async () => {
    writeFileSync(`${fleet.directory}/other-key`, stranger.secret, { mode: 0o600 });
    const config = "StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nPasswordAuthentication yes\n";
    const run = await enter({ "ssh-config": config, "ssh-known-hosts": web2.hostKeyLine() });
    expect(run.exitCode).toBe(1);
    expect(run.errors).toEqual([expect.stringContaining("the host key of web1 port 22 is unknown")]);
    await entered({ "ssh-config": config });
    // A second key would be offered after the first.
    web1.authorize(stranger.public);
    const other = await enter({
      "ssh-config": `${config}IdentityFile ${fleet.directory}/other-key\n`,
      "ssh-key": encrypted.secret,
      "ssh-key-passphrase": passphrase,
    });
    expect(other.errors).toEqual([expect.stringContaining("ssh-config: sets IdentityFile (set by the action) for web1")]);
  });

  test("that ssh does not know are explained", async () => {
    const run = await enter({ "ssh-config": "Host *\n  NoSuchOption yes\n" });
    expect(run.exitCode).toBe(1);
    expect(run.errors).toEqual([expect.stringMatching(/ssh-config: was rejected by ssh: line 2: Bad configuration option: nosuchoption/)]);
  });
});
