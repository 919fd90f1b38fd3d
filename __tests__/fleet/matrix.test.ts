import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";

import { field } from "../../src/domain/json.js";
import { access, expectGreen, resultsOf } from "./deployment.js";
import { check, until } from "./rig/command.js";
import { type Behaviour, commitAll, type FlakeOptions, headOf, writeFlake } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";
import type { StepResult } from "./rig/runner.js";
import { writeToolFlake } from "./tool-flakes.js";

const names = ["web1", "web2", "web3", "db1"];
let fleet: Fleet;
let repository: string;
let tests = 0;

beforeAll(async () => {
  fleet = await Fleet.start(names.map((name) => (name === "db1" ? { name, suite: "trixie", rebuild: "bash", sshPort: 2222 } : { name })));
});

afterAll(async () => {
  await fleet?.stop();
});

beforeEach(() => {
  tests += 1;
  repository = `${fleet.directory}/test-${tests}/repository`;
});

/** Runs the companion action, where a workflow has its step. */
async function plan(inputs: Readonly<Record<string, string>> = {}, workspace = repository): Promise<StepResult> {
  return await fleet.runner.run({ inputs, workspace, entry: "dist/matrix.js", actionFile: "matrix/action.yml", post: false });
}

async function planned(inputs: Readonly<Record<string, string>> = {}, workspace = repository): Promise<StepResult> {
  const run = await plan(inputs, workspace);
  if (run.exitCode !== 0) throw new Error(`the step failed with ${run.exitCode}:\n${run.log}`);
  return run;
}

function jobsOf(run: StepResult): Readonly<Record<string, unknown>>[] {
  const include = field(JSON.parse(run.outputs["matrix"] ?? ""), "include");
  if (!Array.isArray(include)) throw new Error("the matrix has no include");
  return include.map((job: unknown) => ({ ...(typeof job === "object" ? job : {}) }));
}

function hostsOf(run: StepResult): unknown {
  return JSON.parse(run.outputs["hosts"] ?? "");
}

const fourMachines: Readonly<Record<string, Behaviour>> = {
  web1: { deployment: { tags: ["web", "canary"] } },
  web2: { deployment: { tags: ["web"] } },
  web3: { deployment: { targetHost: "2001:db8::7", targetUser: "deploy", targetPort: 2222 } },
  db1: { fqdn: "db1.example.org" },
};

async function write(machines: Readonly<Record<string, Behaviour>> = fourMachines, options: FlakeOptions = { git: true }): Promise<string> {
  return await writeFlake(repository, machines, options);
}

describe("a matrix", () => {
  test("has a job for each machine", async () => {
    await write();
    const run = await planned();
    const job = (name: string, target: string, tags: string[] = []): object => ({ name, target, configuration: name, system: "x86_64-linux", tags });
    expect(jobsOf(run)).toEqual([
      job("db1", "db1.example.org#db1"),
      job("web1", "web1#web1", ["web", "canary"]),
      job("web2", "web2#web2", ["web"]),
      job("web3", "deploy@[2001:db8::7]:2222#web3"),
    ]);
    expect(run.outputs).toMatchObject({
      count: "4",
      targets: "db1.example.org#db1\nweb1#web1\nweb2#web2\ndeploy@[2001:db8::7]:2222#web3",
      hosts: '["db1","web1","web2","web3"]',
    });
    expect(run.annotations).toEqual([]);
    expect(run.inTemp).toEqual([]);
  });

  test("fills in user and port if set", async () => {
    await write();
    const run = await planned({ "ssh-user": "deploy", "ssh-port": "2200", select: "web3,web1" });
    expect(jobsOf(run).map((job) => job["target"])).toEqual(["deploy@web1:2200#web1", "deploy@[2001:db8::7]:2222#web3"]);
  });

  test("deals explicit targets out, without a flake", async () => {
    const run = await planned({ targets: `[{"host":"a","name":"first"},"b#web","c:2222"]`, shards: "2", flake: "./nowhere" }, fleet.directory);
    expect(jobsOf(run)).toEqual([
      { name: "1 of 2", targets: '[{"host":"a","name":"first"},{"host":"b","configuration":"web","name":"web"}]', hosts: ["first", "web"] },
      { name: "2 of 2", targets: "c:2222", hosts: ["c"] },
    ]);
  });

  test.each([
    ["a flake that is not there", { flake: "./nowhere" }, /the directory \.\/nowhere was not found/],
    ["bad inputs, all at once", { shards: "257", select: "," }, /2 inputs are invalid.*\n {2}select: .*\n {2}shards: "257" is not valid/],
    [
      "a selection that matches nothing",
      { select: "web*,wbe*,@cannary" },
      /select: wbe\*, @cannary matches no host; available: db1, web1, web2, web3, @web, @canary/,
    ],
  ])("is empty after %s", async (_, inputs: Readonly<Record<string, string>>, message) => {
    await write();
    const run = await plan(inputs);
    expect(run.exitCode).toBe(1);
    expect(run.errors).toEqual([expect.stringMatching(message)]);
    expect(run.outputs).toEqual({ matrix: '{"include":[]}', targets: "[]", count: "0", hosts: "[]" });
  });

  test("has the others beside machines that do not evaluate, and the step is red", async () => {
    await write(
      { web1: {}, web2: {}, web3: {}, db1: {} },
      {
        git: true,
        outputs:
          'deploy.nodes = builtins.mapAttrs (n: _: { hostname = if n == "web2" then throw "no luck" else if n == "web3" then {}.nowhere else n; profiles.system = {}; }) machines;',
      },
    );
    const run = await plan();
    expect(run.exitCode).toBe(1);
    expect(hostsOf(run)).toEqual(["db1", "web1"]);
    expect(run.annotations.map(({ level, title }) => [level, title])).toEqual([
      ["error", "web2: connect failed"],
      ["error", "web3: connect failed"],
    ]);
    expect(run.errors[0]).toMatch(/^its configuration does not evaluate on the runner.*error: no luck/s);
    expect(run.errors[1]).toMatch(/^its configuration does not evaluate on the runner.*error: attribute 'nowhere' missing/s);
    // Who is not selected is not looked at.
    const selected = await planned({ select: "web1,db*" });
    expect(hostsOf(selected)).toEqual(["db1", "web1"]);
  });
});

describe("the main action takes what the matrix gives", () => {
  test("machines in two shards, each deployed by a job of its own", async () => {
    await write({ web1: {}, web2: {}, web3: {}, db1: { deployment: { targetUser: "deploy", targetPort: 2222 } } });
    const run = await planned({ shards: "2" });
    expect(jobsOf(run).map((job) => job["hosts"])).toEqual([
      ["db1", "web1"],
      ["web2", "web3"],
    ]);
    for (const { targets, hosts } of jobsOf(run)) {
      const job = await fleet.runner.run({ inputs: { ...access(fleet), targets: String(targets) }, workspace: repository });
      await expectGreen(job, fleet.machines);
      expect(Object.keys(resultsOf(job))).toEqual(hosts);
      expect(job.outputs).toMatchObject({ status: "deployed", failed: "0" });
    }
  });

  test("nodes of a hive, one by one", async () => {
    const commit = await writeToolFlake("colmena", repository, fleet.runner);
    const jobs = jobsOf(await planned());
    const job = (name: string, place: object, tags: string[] = []): object => {
      const configuration = `colmenaHive.nodes.${name}`;
      // As colmena, which builds where it runs unless it is told otherwise.
      const target = JSON.stringify([{ host: name, ...place, configuration, name, "flake-build-on": "runner" }]);
      return { name, target, configuration, system: "x86_64-linux", tags };
    };
    expect(jobs).toEqual([job("db1", { user: "deploy", port: 2222 }, ["database"]), job("web1", { user: "root" })]);
    for (const { name, target } of jobs) {
      const run = await fleet.runner.run({ inputs: { ...access(fleet), targets: String(target) }, workspace: repository });
      await expectGreen(run, fleet.machines);
      expect(resultsOf(run)).toMatchObject({ [String(name)]: { status: "deployed" } });
      expect(run.log).toContain("building 1 system on the runner");
      expect(await fleet.machine(String(name)).output("/run/current-system/sw/bin/nixos-version --configuration-revision")).toBe(commit);
    }
  });

  test("no machine is not every machine", async () => {
    const { targets = "" } = (await plan({ flake: "./nowhere" }, fleet.directory)).outputs;
    const job = await fleet.runner.run({ inputs: { ...access(fleet), targets }, workspace: repository });
    expect(job.exitCode).toBe(1);
    expect(job.errors).toEqual([expect.stringMatching(/targets: lists no hosts/)]);
  });
});

describe("only what has changed", () => {
  const three = (texts: Readonly<Record<string, string>> = {}): Record<string, Behaviour> =>
    Object.fromEntries(["web1", "web2", "db1"].map((name) => [name, { text: texts[name] ?? "the same" }]));

  test("since a commit, although every system knows its revision", async () => {
    await write(three());
    const before = await headOf(repository);
    await write(three({ web2: "another" }));
    expect(await headOf(repository)).not.toBe(before);
    const run = await planned({ "changed-since": before });
    expect(hostsOf(run)).toEqual(["web2"]);
    expect(run.annotations).toEqual([]);
    expect(hostsOf(await planned({ "changed-since": "HEAD~1" }))).toEqual(["web2"]);
    expect(hostsOf(await planned({ "changed-since": "" }))).toEqual(["db1", "web1", "web2"]);
  });

  test("also of a flake that refuses to be without a revision", async () => {
    const refuse = async (texts: Readonly<Record<string, string>>): Promise<void> => {
      await write(three(texts));
      const file = `${repository}/flake.nix`;
      writeFileSync(file, readFileSync(file, "utf8").replace("self.rev or null", 'if self ? rev then self.rev else throw "dirty"'));
      await commitAll(repository);
    };
    await refuse({});
    const before = await headOf(repository);
    await refuse({ db1: "another" });
    const run = await planned({ "changed-since": before });
    expect(hostsOf(run)).toEqual(["db1"]);
    expect(run.annotations).toEqual([]);
  });

  test("is nothing where no system has, and the targets then are not every machine", async () => {
    await write(three());
    writeFileSync(`${repository}/README.md`, "words");
    await commitAll(repository);
    const run = await planned({ "changed-since": "HEAD~1" });
    expect(run.outputs).toEqual({ matrix: '{"include":[]}', targets: "[]", count: "0", hosts: "[]" });
    await commitAll(repository);
    expect((await planned({ "changed-since": "HEAD~1" })).outputs["count"]).toBe("0");
  });

  test("takes in what is not committed", async () => {
    await write(three());
    const file = `${repository}/machines.json`;
    writeFileSync(file, readFileSync(file, "utf8").replace("the same", "not committed"));
    expect(hostsOf(await planned({ "changed-since": "HEAD" }))).toEqual(["web1"]);
  });

  test("in a subdirectory of a repository", async () => {
    await write(three(), { git: true, subdirectory: "nix/my machines" });
    await write(three({ db1: "another" }), { git: true, subdirectory: "nix/my machines" });
    expect(hostsOf(await planned({ flake: "./nix/my machines", "changed-since": "HEAD~1" }))).toEqual(["db1"]);
  });

  test("in a hive", async () => {
    await writeToolFlake("colmena", repository, fleet.runner);
    const file = `${repository}/flake.nix`;
    writeFileSync(file, readFileSync(file, "utf8").replace("Hello from", "Good morning from"));
    await commitAll(repository);
    expect(hostsOf(await planned({ "changed-since": "HEAD~1" }))).toEqual(["web1"]);
  });

  test("is a machine that does not evaluate, now or then", async () => {
    await write({ web1: {}, web2: { evaluationError: "broken then" }, db1: {} });
    await write({ web1: {}, web2: {}, db1: { evaluationError: "broken now" } });
    const run = await planned({ "changed-since": "HEAD~1" });
    expect(hostsOf(run)).toEqual(["db1", "web2"]);
    expect(run.annotations).toEqual([{ level: "warning", title: "db1", message: expect.stringContaining("does not evaluate") }]);
  });

  test("is a machine that was not there", async () => {
    await write({ web1: {} });
    await write({ web1: {}, web2: {} });
    expect(hostsOf(await planned({ "changed-since": "HEAD~1" }))).toEqual(["web2"]);
  });

  test.each([
    ["a first push", "0".repeat(40), /^0{40} is not a commit of this repository/],
    ["a push that has replaced the commit", "1234567890".repeat(4), /is not a commit of this repository/],
    ["a name that Git does not know", "nowhere", /^nowhere is not a commit of this repository/],
  ])("is everything after %s", async (_, revision, message) => {
    await write(three());
    const run = await planned({ "changed-since": revision });
    expect(hostsOf(run)).toEqual(["db1", "web1", "web2"]);
    expect(run.annotations).toEqual([{ level: "notice", title: "All hosts count as changed", message: expect.stringMatching(message) }]);
  });

  test("is everything where the commit had no such flake", async () => {
    await write(three());
    const file = `${repository}/flake.nix`;
    const text = readFileSync(file, "utf8");
    writeFileSync(file, "{ outputs = _: throw ''no outputs''; }");
    await commitAll(repository);
    writeFileSync(file, text);
    await commitAll(repository);
    const run = await planned({ "changed-since": "HEAD~1" });
    expect(hostsOf(run)).toEqual(["db1", "web1", "web2"]);
    expect(run.annotations).toEqual([
      { level: "notice", title: "All hosts count as changed", message: expect.stringMatching(/does not evaluate: .*no outputs/) },
    ]);
  });

  test("cannot be determined in a shallow checkout without the commit", async () => {
    await write(three());
    const before = await headOf(repository);
    await write(three({ web1: "another" }));
    const shallow = `${repository}-shallow`;
    await check("git", ["clone", "--quiet", "--depth", "1", `file://${repository}`, shallow]);
    const run = await plan({ "changed-since": before }, shallow);
    expect(run.exitCode).toBe(1);
    expect(run.errors).toEqual([
      expect.stringMatching(/changed-since: .* is not in this checkout, which contains only the newest commits\. Set `fetch-depth: 0`/),
    ]);
    await check("git", ["-C", shallow, "fetch", "--quiet", "--depth", "2"]);
    expect(hostsOf(await planned({ "changed-since": before }, shallow))).toEqual(["web1"]);
  });

  test("cannot be determined of a flake that is in no Git work tree", async () => {
    await write(three(), {});
    const run = await plan({ "changed-since": "HEAD", flake: `path:${repository}` });
    expect(run.exitCode).toBe(1);
    expect(run.errors).toEqual([expect.stringMatching(/changed-since: needs a flake in a Git work tree/)]);
  });
});

describe("300 machines", () => {
  const nix = (): string => path.join(fleet.runner.root, "usr/local/bin/nix");
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`host${String(index).padStart(3, "0")}`, {}]));

  afterEach(() => {
    rmSync(nix(), { force: true });
  });

  test("take one Nix process", async () => {
    await write(many);
    // Stands before Nix and writes down each start of it.
    writeFileSync(nix(), '#!/bin/sh\necho "$1" >> /root/starts\nexec /usr/bin/nix "$@"\n');
    chmodSync(nix(), 0o755);
    const run = await planned({ shards: "2" });
    expect((await fleet.runner.exec("cat /root/starts")).stdout).toBe("eval\n");
    expect(run.outputs["count"]).toBe("300");
    expect(jobsOf(run).map(({ name, hosts }) => [name, Array.isArray(hosts) ? hosts.length : hosts])).toEqual([
      ["1 of 2", 150],
      ["2 of 2", 150],
    ]);
  });

  test("are not waited for once the run is cancelled", async () => {
    await write(many);
    writeFileSync(nix(), '#!/bin/sh\nsleep 60\nexec /usr/bin/nix "$@"\n');
    chmodSync(nix(), 0o755);
    const step = fleet.runner.start({
      inputs: { shards: "2" },
      workspace: repository,
      entry: "dist/matrix.js",
      actionFile: "matrix/action.yml",
      post: false,
    });
    await until("Nix to begin", 20, async () => (await fleet.runner.exec("pgrep -f 'sleep 6[0]'")).code === 0);
    step.signal("SIGINT");
    const run = await step.finished;
    expect(run.exitCode).toBe(1);
    expect(run.annotations).toEqual([{ level: "warning", title: "Cancelled by SIGINT", message: "No job was planned." }]);
    expect(run.outputs).toMatchObject({ count: "0", targets: "[]" });
    expect(await fleet.runner.processes()).toEqual([]);
  });

  test("are more than GitHub takes jobs", async () => {
    await write(many);
    const run = await plan();
    expect(run.exitCode).toBe(1);
    expect(run.errors).toEqual([expect.stringMatching(/shards: is empty, but 300 hosts exceed the 256 jobs that GitHub allows per matrix/)]);
    expect(run.outputs["count"]).toBe("0");
  });
});
