import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from "@jest/globals";

import { access, expectGreen, expectNothingLeft, resultsOf, systemOf } from "./deployment.js";
import { writeFlake, type Behaviour } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";
import type { Machine } from "./rig/machine.js";
import type { Step } from "./rig/runner.js";

jest.setTimeout(120_000);

let fleet: Fleet;
let web1: Machine;
let web2: Machine;
let flakes = 0;

beforeAll(async () => {
  fleet = await Fleet.start([
    { name: "web1", systemProfile: true },
    { name: "web2", systemProfile: true, sshPort: 2222 },
  ]);
  [web1, web2] = [fleet.machine("web1"), fleet.machine("web2")];
});

afterAll(async () => {
  await fleet?.stop();
});

beforeEach(() => {
  web1.forgetHandshakes();
  web2.forgetHandshakes();
});

/** A step with a flake whose systems are new. */
async function step(inputs: Readonly<Record<string, string>>, behaviour: Behaviour = {}): Promise<Step> {
  flakes += 1;
  const text = `number ${flakes}`;
  const machines = { web1: { text, ...behaviour }, web2: { text, ...behaviour }, db: { text, ...behaviour } };
  const workspace = await writeFlake(`${fleet.directory}/flake-${flakes}`, machines, { git: true });
  return { workspace, inputs: { ...access(fleet), retries: "0", "confirm-timeout": "10", ...inputs } };
}

/** The known_hosts line of a machine under one name. */
function lineFor(name: string, machine: Machine): string {
  const [, type, key] = machine.hostKeyLine().trim().split(" ");
  return `${name} ${type} ${key}\n`;
}

describe("an alias of ssh-config", () => {
  const alias = (more = ""): string => `Host db\n  HostName ${web2.ipv4}\n  User deploy\n  Port 2222\n${more}`;

  test("says where the machine is, and its host key is looked up under the HostName", async () => {
    const run = await fleet.runner.run(
      await step({
        targets: "db#web2",
        "ssh-config": alias(),
        "ssh-known-hosts": lineFor(`[${web2.ipv4}]:2222`, web2),
        "ssh-user": "nobody",
        "ssh-port": "99",
      }),
    );
    await expectGreen(run, fleet.machines);
    expect(resultsOf(run)["web2"]).toMatchObject({ status: "deployed", target: "deploy@db:2222" });
    expect(web2.handshakes().lines.join("\n")).toContain("Accepted publickey for deploy");
    expect(web1.handshakes().connections).toBe(0);
  });

  test("is below what the target says, and above the defaults, for patterns and jump hosts too", async () => {
    const config = `Host bastion\n  HostName ${web1.ipv4}\nMatch host *.internal\n  HostName ${web2.ipv4}\n  Port 2222\n  ProxyJump root@bastion\n`;
    const run = await fleet.runner.run(await step({ targets: "root@db.internal#web2", "ssh-config": config, "ssh-user": "nobody" }));
    await expectGreen(run, fleet.machines);
    expect(resultsOf(run)["web2"]).toMatchObject({ status: "deployed", target: "root@db.internal:2222" });
    expect(web2.handshakes().lines.join("\n")).toContain(`Connection from ${web1.ipv4}`);
  });

  test("is what a machine of the flake is reached by", async () => {
    const run = await fleet.runner.run(await step({ targets: "", select: "db", "ssh-config": alias() }));
    await expectGreen(run, fleet.machines);
    expect(resultsOf(run)).toMatchObject({ db: { status: "deployed", target: "deploy@db:2222" } });
  });

  test("leads two machines of the flake, or two targets, to one place: neither is touched", async () => {
    const config = alias(`Host web2\n  HostName ${web2.ipv4}\n  Port 2222\n`);
    const flake = await fleet.runner.run(await step({ targets: "", select: "db,web2", "ssh-config": config }));
    const error = expect.stringContaining(`db and web2 have the same address (${web2.ipv4} port 2222)`);
    expect(resultsOf(flake)).toMatchObject({ db: { status: "failed", error }, web2: { status: "failed", error } });
    const targets = await fleet.runner.run(await step({ targets: "db#db\nroot@web2#web2", "ssh-config": config }));
    expect(targets.errors).toEqual([expect.stringContaining(`targets: ${web2.ipv4} port 2222 is listed twice`)]);
    expect([web1.handshakes().connections, web2.handshakes().connections]).toEqual([0, 0]);
  });

  test("of a machine whose host key is unknown: the line to add is the one of the HostName", async () => {
    const run = await fleet.runner.run(await step({ targets: "db#web2", "ssh-config": alias(), "ssh-known-hosts": lineFor("[db]:2222", web2) }));
    expect(run.exitCode).toBe(1);
    expect(run.errors).toEqual([expect.stringContaining(`the host key of ${web2.ipv4} port 2222 is unknown`)]);
    expect(run.errors[0]).toContain(`add this line to ssh-known-hosts: ${lineFor(`[${web2.ipv4}]:2222`, web2).trim()}`);
  });

  test("that ssh would hand to a shell is refused before anything is touched", async () => {
    const run = await fleet.runner.run(
      await step({ targets: "db#web2", "ssh-config": "Host db\n  HostName ;touch${IFS}/tmp/owned\n  ProxyCommand nc %h %p\n" }),
    );
    expect(run.exitCode).toBe(1);
    expect(run.errors).toEqual([expect.stringMatching(/ssh-config: (sets an invalid HostName for db: its host contains|was rejected by ssh: )/)]);
    expect((await fleet.runner.exec("ls /tmp/owned")).code).not.toBe(0);
  });
});

describe("what the action owns", () => {
  // Each of them would break the connection, or loosen the checks, if ssh obeyed it.
  test("is not changed by ssh-config, whatever it says", async () => {
    const config = [
      "Host *",
      "  StrictHostKeyChecking no",
      "  UserKnownHostsFile /dev/null",
      "  GlobalKnownHostsFile /dev/null",
      "  KnownHostsCommand /bin/echo",
      "  NoHostAuthenticationForLocalhost yes",
      "  IdentitiesOnly no",
      "  IdentityAgent /nowhere",
      "  AddKeysToAgent yes",
      "  PubkeyAuthentication no",
      "  PreferredAuthentications password",
      "  BatchMode no",
      "  RemoteCommand reboot",
      "  RequestTTY force",
      "  PermitLocalCommand yes",
      "  ControlMaster auto",
      "  ControlPath /tmp/owned-%C",
      "  ControlPersist no",
      "  LogLevel DEBUG3",
      "  ConnectTimeout 1",
      "  ConnectionAttempts 9",
      "  ServerAliveInterval 0",
      "",
    ].join("\n");
    const run = await fleet.runner.run(await step({ targets: "root@web1", "ssh-config": config }));
    await expectGreen(run, fleet.machines);
    expect(resultsOf(run)).toMatchObject({ web1: { status: "deployed", target: "root@web1" } });
    // The one for everything, and the fresh one for the confirmation.
    expect(web1.handshakes().accepted).toBe(2);
    expect((await fleet.runner.exec("ls -d /tmp/owned*")).stdout).toBe("");
    const stranger = await fleet.runner.run(await step({ targets: "root@web1", "ssh-config": config, "ssh-known-hosts": web2.hostKeyLine() }));
    expect(stranger.errors).toEqual([expect.stringContaining("the host key of web1 port 22 is unknown")]);
  });

  const ours = [
    "IdentityFile /root/.ssh/other",
    "CertificateFile /root/.ssh/other",
    "SessionType none",
    "HostKeyAlias jump",
    "LocalCommand touch /tmp/owned",
    "SendEnv HOME",
  ];

  test.each(ours)("is not added to: %s is refused for the machine", async (line) => {
    const run = await fleet.runner.run(await step({ targets: "root@web1", "ssh-config": `Host web*\n  ${line}\n` }));
    expect(run.exitCode).toBe(1);
    expect(run.errors).toEqual([expect.stringMatching(new RegExp(`ssh-config: sets ${line.split(" ")[0]} \\(.+\\) for web1`))]);
    expect(web1.handshakes().connections).toBe(0);
  });

  test("is free for a jump host", async () => {
    const config = ["Host jump", ...ours.map((line) => `  ${line}`), ""].join("\n");
    const run = await fleet.runner.run(await step({ targets: "root@web1", "ssh-config": config, operation: "build" }));
    await expectGreen(run, fleet.machines);
    expect(run.outputs["status"]).toBe("planned");
  });
});

describe("two names of one machine", () => {
  test.each(["1", "10"])("in one run: neither is activated, and each names the other, with max-parallel %s", async (maxParallel) => {
    const before = await systemOf(web1);
    const targets = `root@web1#web1\nroot@${web1.ipv4}#web1\nroot@web2:2222#web2`;
    const run = await fleet.runner.run(await step({ targets, "max-parallel": maxParallel }));
    expect(run.exitCode).toBe(1);
    const { web1: byName, [web1.ipv4]: byAddress, "web2:2222": stillNamed, web2: other = stillNamed } = resultsOf(run);
    expect(byName).toMatchObject({ status: "failed", phase: "connect", error: expect.stringContaining(`same machine as ${web1.ipv4} (root@${web1.ipv4})`) });
    expect(byAddress).toMatchObject({ status: "failed", phase: "connect", error: expect.stringContaining("same machine as web1 (root@web1)") });
    expect(other).toMatchObject({ status: "deployed" });
    // One of the two and web2: the one noticed second was sent nothing.
    expect(run.log.match(/^\[[^\]]*\] copied \/nix\/store\//gm)).toHaveLength(2);
    expect(await systemOf(web1)).toEqual(before);
    await expectNothingLeft(run, fleet.machines);
  });

  test("control: each of them alone is deployed", async () => {
    for (const host of ["web1", web1.ipv4]) {
      const run = await fleet.runner.run(await step({ targets: `root@${host}#web1` }));
      await expectGreen(run, fleet.machines);
      expect(Object.values(resultsOf(run))).toMatchObject([{ status: "deployed" }]);
    }
  });

  test("in two runs: the second waits for the first, and says under which name that came", async () => {
    const held = { switchScript: "until [ -e /run/go ]; do sleep 0.1; done; rm /run/go" };
    const going = fleet.runner.start(await step({ targets: "root@web1#web1" }, held));
    await going.waitFor(/\] activating the configuration/);
    expect(await web1.output("ls -d /run/nix-flake-deploy/*-web1 /nix/var/nix/gcroots/nix-flake-deploy/*-web1")).toMatch(/^\S+-web1\n\S+-web1$/);
    const waiting = fleet.runner.start(await step({ targets: `root@${web1.ipv4}#web1` }));
    await waiting.waitFor(/waiting up to 300 s for the lock: another run of this action: \S+, job deploy, target root@web1, since /);
    await web1.output("touch /run/go");
    const [first, second] = [await going.finished, await waiting.finished];
    expect([first.exitCode, second.exitCode]).toEqual([0, 0]);
    const [deployed] = Object.values(resultsOf(second));
    expect(deployed).toMatchObject({ status: "deployed", "previous-system-path": resultsOf(first)["web1"]?.["system-path"] });
    await expectNothingLeft(second, fleet.machines);
  });
});

describe("two machines", () => {
  const bothDeployed = async (): Promise<void> => {
    const run = await fleet.runner.run(await step({ targets: "root@web1#web1\nroot@web2:2222#web2" }));
    await expectGreen(run, fleet.machines);
    expect(Object.values(resultsOf(run)).map(({ status }) => status)).toEqual(["deployed", "deployed"]);
  };
  const eachSays = async (command: string): Promise<string[]> => await Promise.all(fleet.machines.map(async (machine) => await machine.output(command)));

  test("with the same machine id are two, as clones are", async () => {
    const [id] = await eachSays("cat /etc/machine-id");
    for (const machine of fleet.machines) await machine.output(`echo ${id} >/etc/machine-id`);
    expect(new Set(await eachSays("cat /proc/sys/kernel/random/boot_id")).size).toBe(2);
    await bothDeployed();
  });

  test("with the same boot id as well are two, as containers of one kernel are", async () => {
    // systemd-nspawn has put another one over the kernel's; other programs do not.
    for (const machine of fleet.machines) await machine.output("umount /proc/sys/kernel/random/boot_id");
    for (const command of ["cat /etc/machine-id", "cat /proc/sys/kernel/random/boot_id"]) expect(new Set(await eachSays(command)).size).toBe(1);
    await bothDeployed();
  });
});
