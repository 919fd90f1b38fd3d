import { mkdirSync, writeFileSync } from "node:fs";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";

import { field } from "../../src/domain/json.js";
import { statuses } from "./host-results.js";
import { type Behaviour, commitAll, type FlakeOptions, writeFlake } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";
import type { StepResult } from "./rig/runner.js";

// What is decided before any machine is reached, for every option of deploy-rs and colmena: a runner with a real Nix, and no machine.

let fleet: Fleet;
let repository: string;
let tests = 0;

beforeAll(async () => {
  fleet = await Fleet.start([]);
});

afterAll(async () => await fleet?.stop());

beforeEach(() => {
  tests += 1;
  repository = `${fleet.directory}/test-${tests}/repository`;
});

async function write(machines: readonly string[], options: FlakeOptions = {}): Promise<void> {
  await writeFlake(repository, Object.fromEntries(machines.map((name): [string, Behaviour] => [name, {}])), { git: true, ...options });
}

async function plan(inputs: Readonly<Record<string, string>> = {}): Promise<StepResult> {
  return await fleet.runner.run({ inputs, workspace: repository, entry: "dist/matrix.js", actionFile: "matrix/action.yml", post: false });
}

async function deploy(inputs: Readonly<Record<string, string>> = {}): Promise<StepResult> {
  const access = { "ssh-key": fleet.key.secret, "ssh-known-hosts": `web1 ${fleet.key.public}` };
  const run = await fleet.runner.run({ inputs: { ...access, ...inputs }, workspace: repository });
  expect(run.inTemp).toEqual([]);
  return run;
}

/** The targets of a matrix, by the name of their machine. */
function targetsOf(run: StepResult): Readonly<Record<string, unknown>> {
  const list: unknown = JSON.parse(run.outputs["targets"] ?? "");
  if (!Array.isArray(list)) throw new Error("the targets are not in a list");
  return Object.fromEntries(list.map((target: unknown) => [String(field(target, "name")), target]));
}

/** The lines of all warnings, without where to get it in another job. */
function warningsOf(run: StepResult): string[] {
  return run.annotations.filter(({ level }) => level === "warning").flatMap(({ message }) => message.split("\n"));
}

/** What is wrong with machines, by their name. */
function errorsOf(run: StepResult): Readonly<Record<string, string>> {
  return Object.fromEntries(run.annotations.flatMap(({ level, title, message }) => (level === "error" ? [[(title ?? "").replace(/:.*/, ""), message]] : [])));
}

describe("deploy-rs", () => {
  test("has each option honoured, named with what decides in its place, or refused", async () => {
    const path = "path = throw ''looked at'';";
    // As deploy-rs merges them: the profile's, then the node's, then those of all.
    const nodes: Readonly<Record<string, string>> = {
      merged: `{ hostname = "merged"; sshUser = "node"; remoteBuild = true; sshOpts = [ "-J" "bastion" ]; profiles.system = { ${path} sshUser = "profile"; sshOpts = [ "-p" "2222" ]; }; }`,
      ofAll: `{ hostname = "of-all"; profiles.system = { ${path} }; }`,
      rollbacks: `{ hostname = "a"; autoRollback = true; magicRollback = false; profiles.system = { ${path} }; }`,
      timeouts: `{ hostname = "b"; confirmTimeout = 60; profiles.system = { ${path} activationTimeout = 240; }; }`,
      roots: `{ hostname = "c"; sudo = "doas -u"; interactiveSudo = true; profiles.system = { ${path} }; }`,
      root: `{ hostname = "d"; sshUser = "root"; sudo = "doas -u"; interactiveSudo = true; profiles.system = { ${path} user = "root"; }; }`,
      files: `{ hostname = "e"; tempPath = "/home/me"; fastConnection = true; profiles.system = { ${path} }; }`,
      profiles: `{ hostname = "f"; profilesOrder = [ "hello" ]; profiles = { system = { ${path} }; hello = throw "looked at"; }; }`,
      future: `{ hostname = "g"; profiles.system = { ${path} newOption = 1; }; }`,
      options: `{ hostname = "h"; sshOpts = [ "-i" "~/.ssh/id" "-o" "StrictHostKeyChecking=no" "-oCompression=yes" "-l" "unheard" ]; profiles.system = { ${path} }; }`,
      refusedUser: `{ hostname = "i"; profiles.system = { ${path} user = "app"; }; }`,
      refusedPath: `{ hostname = "j"; profiles.system = { ${path} profilePath = "/nix/var/nix/profiles/other"; }; }`,
      refusedOption: `{ hostname = "k"; sshOpts = [ "-v" ]; profiles.system = { ${path} }; }`,
      samePlace1: `{ hostname = "L"; profiles.system = { ${path} }; }`,
      samePlace2: `{ hostname = "l"; sshOpts = [ "-p" "2200" ]; profiles.system = { ${path} }; }`,
      homeOnly: `{ hostname = "m"; profiles.home.path = throw "looked at"; }`,
      mac: `{ hostname = "n"; profiles.system.path = { name = "activatable-darwin-system-25.11"; }; }`,
    };
    const others = ["homeOnly", "mac"];
    await write(
      Object.keys(nodes).filter((name) => !others.includes(name)),
      {
        outputs: `deploy = { sshUser = "all"; sshOpts = [ "-p" "2200" ]; nodes = { ${Object.entries(nodes)
          .map(([name, node]) => `${name} = ${node};`)
          .join("\n")} }; };`,
      },
    );
    const run = await plan();
    expect(targetsOf(run)).toMatchObject({
      merged: { user: "profile", port: 2222, configuration: "deploy.nodes.merged", "flake-build-on": "target", "ssh-options": ["ProxyJump bastion"] },
      ofAll: { user: "all", port: 2200, "flake-build-on": "runner" },
      root: { user: "root" },
      options: { user: "all", "ssh-options": ["Compression yes"] },
    });
    const job = (what: string, input: string, advice: string): string =>
      `${what} is not passed on; the input ${input} decides. ${advice} in the job that deploys`;
    expect(warningsOf(run).toSorted()).toEqual(
      [
        `rollbacks: ${job("autoRollback = true", "rollback", "Set rollback: true")}`,
        `rollbacks: ${job("magicRollback = false", "rollback", "Set rollback: false")}`,
        `timeouts: ${job("confirmTimeout = 60", "confirm-timeout", "Set confirm-timeout: 60")}`,
        `timeouts: ${job("activationTimeout = 240", "activation-timeout", "Set activation-timeout: 240")}`,
        `roots: ${job('sudo = "doas -u"', "elevate", "Set elevate: doas")}`,
        `roots: ${job("interactiveSudo = true", "elevate-password", "Set elevate-password, unless sudo needs no password")}`,
        "files: tempPath is not used; files of a run are in /run/nix-flake-deploy",
        `files: ${job("fastConnection = true", "substitute-on-destination", "Set substitute-on-destination: false")}`,
        "profiles: the profiles hello are not deployed; they stay as they are on the machine",
        "future: newOption is unknown to this version of the action, and has no effect",
        "options: IdentityFile has no effect; the inputs ssh-auth, ssh-key and ssh-certificate say how ssh authenticates",
        "options: StrictHostKeyChecking has no effect; the inputs ssh-known-hosts and ssh-strict say which host keys are trusted",
      ].toSorted(),
    );
    expect(errorsOf(run)).toEqual({
      refusedUser: expect.stringContaining('its profile named system belongs to the user "app"'),
      refusedPath: expect.stringContaining("its profile named system has the profilePath /nix/var/nix/profiles/other"),
      refusedOption: expect.stringContaining("its ssh options: -v is not supported"),
      samePlace1: expect.stringContaining("samePlace1 and samePlace2 have the same address (l port 2200)"),
      samePlace2: expect.stringContaining("samePlace1 and samePlace2 have the same address (l port 2200)"),
    });
    expect(run.log).toContain("homeOnly is excluded: deploy.nodes.homeOnly has no profile named system");
    expect(run.log).toContain("mac is excluded: the profile named system of deploy.nodes.mac is activatable-darwin-system-25.11, and no NixOS system");
    // Green without those that are refused, and no error for those that are left out, unless somebody wants them.
    expect(await plan({ select: "*,!refused*,!samePlace2" })).toMatchObject({ exitCode: 0, errors: [] });
    expect((await plan({ select: "merged,mac" })).errors).toEqual([
      expect.stringMatching(/select: names hosts that cannot be deployed: mac \(the profile named system/),
    ]);
  });

  test("has a script of its own named, and what decides compared with the inputs", async () => {
    const wrapper = (script: string): string =>
      `derivation { name = "activatable"; system = "x86_64-linux"; builder = "/bin/sh"; pkgs = builtins.toJSON [ self.nixosConfigurations.web1.config.system.build.toplevel (derivation { name = "web1-activate-path"; system = "x86_64-linux"; builder = "/bin/sh"; text = ${JSON.stringify(script)}; }) ]; }`;
    const node = (script: string): FlakeOptions => ({
      outputs: `deploy = { confirmTimeout = 60; tempPath = "/x"; nodes.web1 = { hostname = "web1"; profiles.system.path = ${wrapper(script)}; }; };`,
    });
    // There is no machine to connect to: the way there is enough.
    const inputs = { "connect-timeout": "1", retries: "0", operation: "build" };
    await write(["web1"], node("./bin/hello"));
    const own = await deploy(inputs);
    expect(warningsOf(own)).toEqual([
      "deploy.nodes.web1: the script that activates profiles.system is not run; the system in it is switched to as NixOS does",
      "web1: tempPath is not used; files of a run are in /run/nix-flake-deploy",
      "web1: confirmTimeout = 60 has no effect; the input confirm-timeout decides, and is 30. Set confirm-timeout: 60",
    ]);
    expect(statuses(own)).toEqual({ web1: "failed" });
    await write(["web1"], node("$PROFILE/bin/switch-to-configuration switch\n"));
    expect(warningsOf(await deploy({ ...inputs, "confirm-timeout": "60" }))).toEqual([
      "web1: tempPath is not used; files of a run are in /run/nix-flake-deploy",
    ]);
  });
});

describe("colmena", () => {
  const colmena = (meta: string, nodes: Readonly<Record<string, string>>): FlakeOptions => ({
    outputs: `colmenaHive = { metaConfig = { name = "hive"; ${meta} }; nodes = { ${Object.entries(nodes)
      .map(
        ([name, deployment]) =>
          `${name} = nixosSystem { hostName = "${name}"; deployment = { targetHost = "${name}"; targetUser = "deploy"; } // { ${deployment} }; };`,
      )
      .join("\n")} }; };`,
  });

  test("has each option of a hive honoured, or named with its consequence", async () => {
    await write(
      [],
      colmena(`machinesFile = "/etc/machines";`, {
        plain: `allowLocalDeployment = true; privilegeEscalationCommand = [ "sudo" "-H" "--" ]; tags = [ "web" ];`,
        anyUser: `targetUser = null; targetPort = 2222; buildOnTarget = true;`,
        careful: `replaceUnknownProfiles = false; sshOptions = [ "-J" "bastion" ];`,
        doas: `privilegeEscalationCommand = [ "doas" ];`,
        keys: `keys.smtp.text = "x"; keys.tls = { };`,
        future: `newOption = true;`,
        refused: `sshOptions = [ "-F" "/dev/null" ];`,
        local: `targetHost = null;`,
      }),
    );
    const run = await plan();
    expect(targetsOf(run)).toMatchObject({
      plain: { user: "deploy", configuration: "colmenaHive.nodes.plain", "flake-build-on": "runner" },
      anyUser: { port: 2222, "flake-build-on": "target" },
      careful: { "replace-unknown-profiles": false, "ssh-options": ["ProxyJump bastion"] },
    });
    expect(field(targetsOf(run)["anyUser"], "user")).toBeUndefined();
    expect(warningsOf(run).toSorted()).toEqual(
      [
        "anyUser, careful, doas, future, keys, plain: meta.machinesFile is not read; systems are built on the runner, and on the builders in its nix.conf",
        `doas: privilegeEscalationCommand = ["doas"] is not passed on; the input elevate decides. Set elevate: doas in the job that deploys`,
        `plain: privilegeEscalationCommand = ["sudo","-H","--"] is not passed on; the input elevate decides. Set elevate: sudo in the job that deploys`,
        "keys: deployment.keys smtp, tls are not uploaded; after a reboot /run/keys is empty, and services that need a key do not start",
        "future: newOption is unknown to this version of the action, and has no effect",
      ].toSorted(),
    );
    expect(errorsOf(run)).toEqual({ refused: expect.stringContaining("its ssh options: -F is not supported") });
    expect(run.log).toContain("local is excluded: its deployment.targetHost is null");
  });

  test("has allowApplyAll = false honoured by both actions", async () => {
    await write([], colmena("allowApplyAll = false;", { web1: `tags = [ "web" ];` }));
    const message = /select: is empty, and the flake forbids deploying all hosts at once \(meta\.allowApplyAll = false\)/;
    expect((await plan()).errors).toEqual([expect.stringMatching(message)]);
    expect(await plan({ select: "*" })).toMatchObject({ exitCode: 0, outputs: { count: "1" } });
    const refused = await deploy();
    expect(refused.errors).toEqual([expect.stringMatching(message)]);
    expect(refused.outputs).toMatchObject({ status: "failed", results: "[]" });
  });

  test("has what only colmena can evaluate of a raw hive refused", async () => {
    const raw = (meta: string): FlakeOptions => ({
      outputs: `colmena = { meta = { nixpkgs.lib = { }; ${meta} }; web1 = { deployment = { targetPort = 22; newOption = 1; }; };
        web2 = { imports = [ ./nowhere.nix ]; deployment.targetHost = "web2"; deployment.targetUser = null; }; };`,
    });
    await write(["web1", "web2"], raw("nodeNixpkgs.web1 = throw ''looked at''; machinesFile = ./nowhere;"));
    const one = await plan();
    expect(errorsOf(one)).toEqual({
      web1: expect.stringMatching(/only colmena evaluates meta\.nodeNixpkgs, so that nixosConfigurations\.web1 may be another system\. Add `colmenaHive/),
    });
    expect(field(targetsOf(one)["web2"], "user")).toBeUndefined();
    expect(warningsOf(one)).toEqual([
      "web2: meta.machinesFile is not read; systems are built on the runner, and on the builders in its nix.conf",
      "web2: the modules that it imports are not read; deployment settings in them have no effect",
    ]);
    await write(["web1", "web2"], raw("specialArgs.inputs = { }; allowApplyAll = true;"));
    expect(Object.values(errorsOf(await plan())).map((message) => /meta\.\w+/.exec(message)?.[0])).toEqual(["meta.specialArgs", "meta.specialArgs"]);
    await write(["web1", "web2"], raw(""));
    const plain = await plan({ select: "web1" });
    expect(plain.outputs["targets"]).toContain('"user":"root"');
    expect(warningsOf(plain)).toEqual(["web1: newOption is unknown to this version of the action, and has no effect"]);
  });
});

describe("no machine is reached", () => {
  test.each<[string, string, Readonly<Record<string, string>>, RegExp]>([
    ["for a selection that matches nothing", "", { select: "web*,dv1" }, /select: dv1 matches no host; available: db1, web1/],
    ["for a tag that no machine has", "", { select: "@canary" }, /select: @canary matches no host; available: db1, web1$/m],
    [
      "by a flake that does not evaluate",
      `deploy = throw "not at all";`,
      {},
      /^The flake path:\S+ does not evaluate:\n  error: not at all\n[^]*flake\.nix:\d+:\d+:/,
    ],
    ["for targets that are all comments", "", { targets: "# web1\n" }, /targets: lists no hosts/],
    ["for an empty list of targets", "", { targets: "[]" }, /targets: lists no hosts/],
  ])("%s", async (_, outputs, inputs, message) => {
    await write(["web1", "db1"], { outputs });
    const run = await deploy(inputs);
    expect(run.exitCode).toBe(1);
    expect(run.errors).toEqual([expect.stringMatching(message)]);
    expect(run.outputs).toMatchObject({ status: "failed", results: "[]", changed: "false" });
  });

  test("by a flake that has none", async () => {
    mkdirSync(repository, { recursive: true });
    writeFileSync(`${repository}/flake.nix`, "{ outputs = _: { packages = { }; }; }");
    await commitAll(repository);
    const run = await deploy();
    expect(run.exitCode).toBe(1);
    expect(run.errors).toEqual([expect.stringMatching(/targets: is empty, and the flake defines no hosts/)]);
  });

  test("where none of the flake's can be used, and the step is red anyway", async () => {
    await write(["web1"], { outputs: `deploy.nodes.web1 = throw "no luck";` });
    const run = await deploy();
    expect(run.exitCode).toBe(1);
    expect(statuses(run)).toEqual({ web1: "failed" });
    expect(run.outputs).toMatchObject({ status: "failed", failed: "1", changed: "false" });
  });
});
