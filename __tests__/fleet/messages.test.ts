import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";

import { access } from "./deployment.js";
import { hostResults, statuses } from "./host-results.js";
import { until } from "./rig/command.js";
import { commitAll, writeFlake } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";
import type { Machine } from "./rig/machine.js";
import type { Step, StepResult } from "./rig/runner.js";

// What users read when something goes wrong, provoked on machines with Nix 2.34, 2.26 and 2.8.
jest.setTimeout(180_000);

const names = ["new", "middle", "old"] as const;

let fleet: Fleet;
let flakes = 0;

beforeAll(async () => {
  fleet = await Fleet.start([
    { name: "new", suite: "forky" },
    { name: "middle", suite: "trixie" },
    { name: "old", suite: "bookworm", rebuild: "bash" },
  ]);
});

afterAll(async () => {
  await fleet?.stop();
});

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0)) await step();
});

/** Changes a machine until the end of the test. */
async function change(machine: Machine, script: string, back: string): Promise<void> {
  undo.push(async () => await machine.output(back));
  await machine.output(script);
}

function newDirectory(): string {
  flakes += 1;
  const directory = path.join(fleet.directory, `flake-${flakes}`);
  mkdirSync(directory, { recursive: true });
  return directory;
}

/** A flake whose machines have this expression for a toplevel; it sees `self`, `name` and `drv`, which makes a derivation. */
function ownFlake(toplevel: string, { inputs = "" }: { inputs?: string } = {}): string {
  const directory = newDirectory();
  writeFileSync(
    path.join(directory, "flake.nix"),
    `{
  ${inputs}
  outputs = { self }: let
    drv = name: script: deps: derivation { inherit name deps; system = "x86_64-linux"; builder = "/bin/bash"; args = [ "-c" script ]; PATH = "/usr/bin:/bin"; };
    machine = name: { config.system.build.toplevel = ${toplevel}; };
  in { nixosConfigurations = builtins.listToAttrs (map (name: { inherit name; value = machine name; }) [ "new" "middle" "old" ]); };
}
`,
  );
  return directory;
}

async function deploy(
  workspace: string,
  machines: readonly string[],
  inputs: Readonly<Record<string, string>> = {},
  more: Partial<Step> = {},
): Promise<StepResult> {
  const targets = machines.map((name) => (name.includes("@") ? name : `root@${name}`)).join("\n");
  return await fleet.runner.run({ inputs: { ...access(fleet), targets, ...inputs }, workspace, ...more });
}

/** The message of a machine's error annotation. */
function messageOf(run: StepResult, name: string): string {
  const found = run.annotations.filter(({ level, title }) => level === "error" && title.startsWith(`${name}: `));
  if (found.length !== 1) throw new Error(`${found.length} annotations for ${name}:\n${run.log}`);
  return found[0]?.message ?? "";
}

async function plain(name: string): Promise<string> {
  return await writeFlake(newDirectory(), { [name]: { text: `flake ${flakes}` } });
}

describe("a flake that could not be fetched", () => {
  test("skips every host with the reason, and nobody cancelled", async () => {
    const nobody = new Array(...fleet.machine("new").ipv4.split(".").slice(0, 3), "250").join(".");
    const run = await deploy(newDirectory(), ["new", `root@${nobody}#new`], { flake: "./nowhere", "connect-timeout": "60" });
    expect(run.exitCode).toBe(1);
    expect(new Set(Object.values(statuses(run)))).toEqual(new Set(["skipped"]));
    expect(run.outputs).toMatchObject({ status: "failed", failed: "0" });
    expect(run.errors).toEqual([expect.stringContaining("the directory ./nowhere was not found")]);
    expect(hostResults(run).get("new")?.["error"]).toContain("not started: the flake could not be fetched (flake: the directory ./nowhere was not found");
    expect(run.summary.split("\n")[0]).toMatch(/^### ❌ No host was deployed \(2 hosts skipped\): `flake: the directory \.\/nowhere was not found/);
    expect(run.log).toMatch(/^The run ended early: flake: the directory \.\/nowhere was not found/m);
    expect(run.log + run.summary).not.toMatch(/cancel/i);
    expect(await fleet.machine("new").leftovers()).toEqual([]);
  });

  test("because its Nix does not know inputs.self.submodules needs Nix 2.27", async () => {
    const runner = await fleet.addRunner({ suite: "trixie" });
    const workspace = ownFlake(`drv "x" "true" []`, { inputs: "inputs.self.submodules = true;" });
    const run = await runner.run({ inputs: { ...access(fleet), targets: "new" }, workspace });
    expect(run.errors).toEqual([expect.stringMatching(/sets inputs\.self\.submodules, which Nix on the runner does not support\. Use Nix 2\.27/)]);
  });

  test("because another user owns the repository needs safe.directory", async () => {
    const workspace = await plain("new");
    await commitAll(workspace);
    await fleet.runner.exec(`chown -R 1234:1234 '${workspace}'; mkdir -p /tmp/other-home`);
    const run = await deploy(workspace, ["new"], {}, { env: { HOME: "/tmp/other-home" } });
    expect(run.errors).toEqual([expect.stringContaining(`git config --global --add safe.directory '${workspace}'`)]);
    await fleet.runner.exec(`chown -R 0:0 '${workspace}'`);
    await fleet.runner.exec(`HOME=/tmp/other-home git config --global --add safe.directory '${workspace}'`);
    expect((await deploy(workspace, ["new"], { operation: "build" }, { env: { HOME: "/tmp/other-home" } })).exitCode).toBe(0);
  });

  test("because a private input asks for a password is named with its address", async () => {
    const workspace = ownFlake(`drv "x" "true" []`, { inputs: 'inputs.p.url = "git+http://127.0.0.1:8765/org/p.git";' });
    const lock = {
      nodes: {
        p: {
          locked: { type: "git", url: "http://127.0.0.1:8765/org/p.git", rev: "1".repeat(40), narHash: `sha256-${"A".repeat(43)}=`, lastModified: 1 },
          original: { type: "git", url: "http://127.0.0.1:8765/org/p.git" },
        },
        root: { inputs: { p: "p" } },
      },
      root: "root",
      version: 7,
    };
    writeFileSync(path.join(workspace, "flake.lock"), JSON.stringify(lock));
    const server = `import http.server
class H(http.server.BaseHTTPRequestHandler):
  def do_GET(s):
    s.send_response(401); s.send_header("WWW-Authenticate", "Basic realm=x"); s.end_headers()
http.server.HTTPServer(("127.0.0.1", 8765), H).serve_forever()`;
    await fleet.runner.exec(`cat > /tmp/server.py; python3 /tmp/server.py > /dev/null 2>&1 & sleep 1`, { stdin: server });
    undo.push(async () => await fleet.runner.endJob());
    const run = await deploy(workspace, ["new"]);
    expect(run.errors).toEqual([
      expect.stringMatching(
        /the flake's input git\+http:\/\/127\.0\.0\.1:8765\/org\/p\.git\S* could not be fetched: its server asks for a user name and password/,
      ),
    ]);
  });
});

test("a failed build is reported by its cause, however many depend on it, and what will be built is one line", async () => {
  const chain = `builtins.foldl' (below: n: drv "link-\${toString n}" "true" [ below ]) (drv "bad" "for i in $(seq 30); do echo line $i; done; echo boom >&2; exit 3" []) (builtins.genList (n: n) 80)`;
  const run = await deploy(ownFlake(chain), names);
  expect(statuses(run)).toEqual({ new: "failed", middle: "failed", old: "failed" });
  for (const name of names) {
    const lines = messageOf(run, name).split("\n");
    expect(lines[0]).toMatch(
      new RegExp(
        `^the build of ${name} failed \\(exit code \\d+\\): bad: builder failed with exit code 3; 80 other derivations depend on it and could not be built\\.`,
      ),
    );
    expect(lines.at(-3)).toBe("  > boom");
    expect(lines.at(-2)).toMatch(/^ {2}nix log \/nix\/store\/\w{32}-bad\.drv$/);
    expect(lines.length).toBeLessThanOrEqual(22);
  }
  expect(run.log).toMatch(/^\[new\] these 81 derivations will be built$/m);
  expect(run.log).not.toMatch(/^\S* ? {2,}\/nix\/store\/\S+-link-\d+\.drv$/m);
  const command = messageOf(run, "new").split("\n").at(-2)?.trim() ?? "";
  expect(await fleet.machine("new").output(command)).toContain("boom");
});

test("several derivations that fail by themselves are all named", async () => {
  const run = await deploy(ownFlake(`drv "top" "true" [ (drv "one" "echo first >&2; exit 4" []) (drv "two" "echo second >&2; exit 5" []) ]`), names, {
    "rebuild-args": "--keep-going",
  });
  for (const name of names) {
    expect(messageOf(run, name)).toMatch(/2 derivations failed: (?:one, two|two, one); 1 other derivation depends on them/);
    for (const text of ["one: builder failed with exit code 4", "> first", "two: builder failed with exit code 5", "> second"])
      expect(messageOf(run, name)).toContain(text);
  }
});

describe("an evaluation that fails on the runner", () => {
  const broken = `builtins.abort "all broken"`;

  test("shows Nix's message and its place in the flake, and not the action's expression", async () => {
    const workspace = newDirectory();
    writeFileSync(path.join(workspace, "flake.nix"), `{ outputs = { self }: { nixosConfigurations =\n  ${broken}; }; }`);
    for (const step of [{}, { entry: "dist/matrix.js", actionFile: "matrix/action.yml", post: false }]) {
      const inputs = "entry" in step ? {} : { ...access(fleet) };
      const run = await fleet.runner.run({ inputs, workspace, ...step });
      expect(run.exitCode).toBe(1);
      expect(run.errors).toHaveLength(1);
      const [message = ""] = run.errors;
      expect(message.split("\n")[1]).toBe("  error: evaluation aborted with the following error message: 'all broken'");
      expect(message).toContain("flake.nix:2:3:");
      expect(message.split("\n").length).toBeLessThanOrEqual(21);
      expect(run.log + run.summary).not.toMatch(/«string»|listToAttrs|tryEval/);
    }
  });

  test("for one of two machines is that machine's error", async () => {
    const workspace = newDirectory();
    writeFileSync(
      path.join(workspace, "flake.nix"),
      `{ outputs = { self }: { nixosConfigurations = { good = { config.deployment.targetHost = "good"; }; bad = { config.deployment = self.nothing; }; }; }; }`,
    );
    const run = await fleet.runner.run({ inputs: {}, workspace, entry: "dist/matrix.js", actionFile: "matrix/action.yml", post: false });
    expect(messageOf(run, "bad")).toContain("error: attribute 'nothing' missing");
    expect(messageOf(run, "bad")).toContain("flake.nix:1:");
    expect(run.log).not.toMatch(/«string»|listToAttrs|tryEval/);
  });
});

describe("an evaluation that fails on the machine", () => {
  test("for want of a file that is not in Git names the file", async () => {
    const workspace = ownFlake(`import ./nixos/extra.nix`);
    await commitAll(workspace);
    mkdirSync(path.join(workspace, "nixos"));
    writeFileSync(path.join(workspace, "nixos/extra.nix"), "1");
    const run = await deploy(workspace, ["new", "middle"]);
    for (const name of ["new", "middle"]) {
      expect(messageOf(run, name)).toContain(
        "nixos/extra.nix exists on the runner but is not tracked by Git, so it is not part of the flake. Run `git add nixos/extra.nix`",
      );
    }
  });

  test("for want of dirtyShortRev says that it cannot travel", async () => {
    const workspace = ownFlake(`drv "x-\${self.dirtyShortRev}" "true" []`);
    await commitAll(workspace);
    writeFileSync(path.join(workspace, "README"), "changed");
    await fleet.runner.exec(`cd '${workspace}' && git add README`);
    const run = await deploy(workspace, names);
    for (const name of names) {
      expect(messageOf(run, name)).toContain("self.dirtyShortRev is not available there");
      expect(messageOf(run, name)).toContain('self.shortRev or self.dirtyShortRev or "dirty"');
    }
  });
});

test("little memory is warned about before the build, and a killed nix is explained with it", async () => {
  const machines = [fleet.machine("new"), fleet.machine("old")];
  for (const machine of machines) {
    const fake = "sed 's/^MemAvailable:.*/MemAvailable:     700000 kB/' /proc/meminfo > /run/meminfo; mount --bind /run/meminfo /proc/meminfo; rm -f /tmp/go";
    await change(machine, fake, "umount /proc/meminfo; touch /tmp/go");
  }
  const step = fleet.runner.start({
    inputs: { ...access(fleet), targets: "root@new\nroot@old" },
    workspace: ownFlake(`drv "waits" "touch /tmp/\${name}-builds; until [ -e /tmp/go ]; do sleep 0.1; done" []`),
  });
  for (const machine of machines) {
    await until("the build", 60, async () => (await machine.exec(`[ -e /tmp/${machine.name}-builds ]`)).code === 0);
    await machine.output("pkill -9 -x nix");
  }
  const run = await step.finished;
  for (const { name } of machines) {
    expect(run.annotations).toContainEqual(
      expect.objectContaining({ level: "warning", title: name, message: expect.stringContaining("only 683.6 MiB of memory are available on the machine") }),
    );
    expect(messageOf(run, name)).toMatch(
      new RegExp(
        `^the evaluation or build of ${name} was killed \\(exit code \\d+\\)\\. Linux kills processes when memory runs out \\(683\\.6 MiB were available`,
      ),
    );
  }
  expect(run.log.indexOf("683.6 MiB of memory")).toBeLessThan(run.log.indexOf("== build"));
});

describe("a machine whose user cannot use Nix", () => {
  test.each(names)("a login shell that prints is named with its words (%s)", async (name) => {
    await change(
      fleet.machine(name),
      "cp /home/deploy/.bashrc /tmp/bashrc; sed -i '1i echo Welcome to the machine' /home/deploy/.bashrc",
      "cp /tmp/bashrc /home/deploy/.bashrc",
    );
    const run = await deploy(await plain(name), [`deploy@${name}`]);
    expect(messageOf(run, name)).toMatch(
      /^the login shell of deploy on the machine prints to standard output, which breaks Nix's protocol: "Welcome to the machine"/,
    );
  });

  test.each(names)("nix-daemon that is down is named (%s)", async (name) => {
    await change(fleet.machine(name), "systemctl stop nix-daemon.socket nix-daemon.service", "systemctl start nix-daemon.socket");
    const run = await deploy(await plain(name), [`deploy@${name}`], { retries: "0" });
    expect(messageOf(run, name)).toMatch(/^nix-daemon does not answer on the machine \(cannot connect to socket/);
  });

  test.each(names)("a user who is not in allowed-users is the reported cause (%s)", async (name) => {
    await change(
      fleet.machine(name),
      "echo 'allowed-users = root nosudo' >> /etc/nix/nix.conf; systemctl restart nix-daemon.socket nix-daemon.service",
      "sed -i '/allowed-users/d' /etc/nix/nix.conf; systemctl restart nix-daemon.service",
    );
    const run = await deploy(await plain(name), [`deploy@${name}`], { retries: "0" });
    expect(messageOf(run, name)).toMatch(/^Nix on the machine refuses deploy, who is not in its allowed-users \(root nosudo\)/);
  });

  test.each(["new", "old"])("a read-only home is recognized by the cache that cannot be written (%s)", async (name) => {
    await change(fleet.machine(name), "rm -rf /root/.cache; mount --bind /root /root; mount -o remount,ro,bind /root", "umount /root");
    const run = await deploy(await plain(name), [name]);
    expect(messageOf(run, name)).toMatch(/^Nix on the machine cannot write to its cache \/root\/\.cache\S* \(exit code 1\)/);
  });
});

describe("a user who may not run commands", () => {
  test("sudo that requires a terminal is distinguished from sudo that requires a password", async () => {
    const machine = fleet.machine("new");
    const run = async (): Promise<string> => messageOf(await deploy(await plain("new"), ["deploy@new"]), "new");
    await change(machine, "echo 'Defaults requiretty' > /etc/sudoers.d/tty", "rm -f /etc/sudoers.d/tty");
    expect(await run()).toMatch(/^sudo on the machine requires a terminal for deploy, which a deployment does not have\. Add `Defaults:deploy !requiretty`/);
    expect(messageOf(await deploy(await plain("new"), ["pwsudo@new"], { "elevate-password": "open sesame" }), "new")).toMatch(
      /^sudo on the machine requires a terminal for pwsudo/,
    );
    await machine.output("rm /etc/sudoers.d/tty");
    expect(messageOf(await deploy(await plain("new"), ["nosudo@new"]), "new")).toMatch(/^sudo on the machine refuses nosudo without a password/);
  });

  test("a key with a forced command is named by the answer", async () => {
    const machine = fleet.machine("new");
    await change(
      machine,
      `cp /home/deploy/.ssh/authorized_keys /tmp/keys; sed -i 's/^/command="echo only backups here" /' /home/deploy/.ssh/authorized_keys`,
      "cp /tmp/keys /home/deploy/.ssh/authorized_keys",
    );
    const message = messageOf(await deploy(await plain("new"), ["deploy@new"]), "new");
    expect(message).toMatch(/^the machine did not run the action's command as deploy, but answered "only backups here"/);
    expect(message).toContain("command=… in authorized_keys of deploy");
  });

  test("a login shell that refuses logins is named", async () => {
    await change(fleet.machine("new"), "usermod -s /usr/sbin/nologin nosudo", "usermod -s /bin/bash nosudo");
    expect(messageOf(await deploy(await plain("new"), ["nosudo@new"]), "new")).toMatch(/^the login shell of nosudo on the machine refuses logins/);
  });
});

describe("targets", () => {
  test("as a URL and in a list with commas are refused with what to write", async () => {
    const run = await deploy(await plain("new"), ["ssh://root@new", "root@new,root@old"]);
    expect(run.errors[0]).toContain("is a URL; write it without ssh://");
    expect(run.errors[0]).toContain("contains a comma; write one target per line");
  });

  test("may name nixosConfigurations", async () => {
    const run = await deploy(await plain("new"), ["root@new#nixosConfigurations.new"], { operation: "build" });
    expect([run.exitCode, hostResults(run).get("new")?.["configuration"]]).toEqual([0, "new"]);
  });

  test("with an IPv6 address cannot be reached from a GitHub-hosted runner", async () => {
    const workspace = await plain("new");
    const message = async (env: Readonly<Record<string, string>>): Promise<string> =>
      messageOf(await deploy(workspace, ["root@[2001:db8::7]#new"], { retries: "0", "connect-timeout": "5" }, { env }), "new");
    expect(await message({ RUNNER_ENVIRONMENT: "github-hosted" })).toMatch(
      /^2001:db8::7 port 22 cannot be reached from a GitHub-hosted runner: it is an IPv6 address, and these runners have no IPv6/,
    );
    expect(await message({ RUNNER_ENVIRONMENT: "self-hosted" })).toMatch(/^2001:db8::7 port 22 does not answer/);
  });
});
