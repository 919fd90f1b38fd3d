import { generateKeyPairSync } from "node:crypto";
import { appendFileSync, cpSync, rmSync, writeFileSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { parseSystems } from "../../src/domain/given-systems.js";
import { access, expectGreen, expectNothingLeft, resultsOf, systemOf, toplevelOf } from "./deployment.js";
import { writeFlake } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";
import type { Machine } from "./rig/machine.js";
import type { Runner, StepResult } from "./rig/runner.js";

// The machine "caching" has a binary cache of its own, "plain" has none, and the runner that deploys has another store than the one
// that builds.
let fleet: Fleet;
let deployer: Runner;

beforeAll(async () => {
  fleet = await Fleet.start(["caching", "plain"]);
  deployer = await fleet.addRunner({});
});
afterAll(async () => {
  await fleet?.stop();
});

async function build(workspace: string, inputs: Readonly<Record<string, string>> = {}): Promise<StepResult> {
  return await fleet.runner.run({ inputs, workspace, entry: "dist/build.js", actionFile: "build/action.yml", post: false });
}

/** Pushes systems to the binary cache, of which the machine "caching" has a copy. */
async function push(toplevels: readonly string[]): Promise<void> {
  const { code, stderr } = await fleet.runner.exec(`nix copy --to 'file://${fleet.directory}/cache?secret-key=${fleet.directory}/key' ${toplevels.join(" ")}`);
  if (code !== 0) throw new Error(stderr);
  cpSync(`${fleet.directory}/cache`, `${fleet.machine("caching").root}/cache`, { recursive: true });
}

/** Deploys from the other runner, where no flake is. */
async function deploy(systems: string, targets: string, inputs: Readonly<Record<string, string>> = {}): Promise<StepResult> {
  return await deployer.run({ inputs: { ...access(fleet), systems, targets, ...inputs } });
}

async function derivationsOf(place: Runner | Machine): Promise<string> {
  return (await place.exec("ls /nix/store | grep -c '[.]drv$'")).stdout.trim();
}

/** A key pair as `nix key generate-secret` has it: the seed of 32 bytes with the public key behind it, in base64. */
function signingKey(name: string): { secret: string; public: string } {
  const { d = "", x = "" } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const [seed, point] = [Buffer.from(d, "base64url"), Buffer.from(x, "base64url")];
  return { secret: `${name}:${Buffer.concat([seed, point]).toString("base64")}`, public: `${name}:${point.toString("base64")}` };
}

describe("systems that were built without a key", () => {
  test("are deployed by a runner that has neither flake nor systems, from signed binary caches", async () => {
    const key = signingKey("cache-1");
    writeFileSync(`${fleet.directory}/key`, key.secret);
    const cache = `${fleet.directory}/cache`;
    const flake = await writeFlake(`${fleet.directory}/flake`, { caching: { text: "from its cache" }, plain: { text: "from the runner" } }, { git: true });
    for (const machine of fleet.machines) machine.forgetHandshakes();

    const built = await build(flake);
    if (built.exitCode !== 0) throw new Error(built.log);
    expect(built.outputs).toMatchObject({ count: "2", targets: "caching#caching\nplain#plain" });
    const links = expect.stringMatching(/^nix-flake-deploy-systems-\w+(\/system(-2)?)?$/);
    expect([built.inTemp, built.annotations]).toEqual([[links, links, links], []]);
    expect(fleet.machines.map((machine) => machine.handshakes().connections)).toEqual([0, 0]);
    const { systems = "", targets = "" } = built.outputs;
    const toplevels = [...parseSystems(systems).systems.values()];

    // A garbage collection takes what nothing refers to, and the systems only once the job is over.
    const garbage = (await fleet.runner.exec("cd $(mktemp -d) && echo garbage >text && nix-store --add text")).stdout.trim();
    expect((await fleet.runner.exec("nix-store --gc --print-dead")).stdout.split("\n")).toEqual(expect.arrayContaining([garbage]));
    await fleet.runner.exec("nix-store --gc");
    expect((await fleet.runner.exec(`nix-store --check-validity --print-invalid ${garbage} ${toplevels.join(" ")}`)).stdout).toBe(`${garbage}\n`);

    // The step of the user's.
    await push(toplevels);
    rmSync(built.temp, { recursive: true });
    expect((await fleet.runner.exec("nix-store --gc --print-dead")).stdout.split("\n")).toEqual(expect.arrayContaining(toplevels));
    const settings = (place: string): string => `substituters = file://${place}\ntrusted-public-keys = ${key.public}\n`;
    appendFileSync(`${fleet.machine("caching").root}/etc/nix/nix.conf`, settings("/cache"));
    await fleet.machine("caching").output("systemctl try-restart nix-daemon.service");
    appendFileSync(`${deployer.root}/etc/nix/nix.conf`, settings(cache));

    const before = await Promise.all([deployer, ...fleet.machines].map(derivationsOf));
    const run = await deploy(systems, targets);
    await expectGreen(run, fleet.machines);
    expect(Object.fromEntries(Object.entries(resultsOf(run)).map(([name, result]) => [name, result["system-path"]]))).toEqual(JSON.parse(systems));
    for (const machine of fleet.machines) {
      const toplevel = toplevelOf(run, machine.name);
      expect(resultsOf(run)[machine.name]).toMatchObject({ status: "deployed", changed: true, configuration: machine.name });
      expect(await systemOf(machine)).toMatchObject({ running: toplevel, profile: toplevel });
    }
    expect(run.log).toContain(`has ${toplevelOf(run, "caching")} from its own binary caches`);
    expect(run.log).toContain(`copied ${toplevelOf(run, "plain")}`);
    expect(run.outputs).toMatchObject({ status: "deployed", "store-path": "", "flake-ref": "" });
    // An evaluation leaves derivations, on whichever side it happens.
    expect(run.log).not.toMatch(/evaluated|building|== build/);
    expect(await Promise.all([deployer, ...fleet.machines].map(derivationsOf))).toEqual(before);

    // What the machines build by themselves is the same.
    const same = await fleet.runner.run({ inputs: { ...access(fleet), targets, "build-on": "target" }, workspace: flake });
    await expectGreen(same, fleet.machines);
    expect(Object.values(resultsOf(same)).map(({ status }) => status)).toEqual(["unchanged", "unchanged"]);
    const after = await Promise.all(fleet.machines.map(derivationsOf));
    for (const [index, count] of after.entries()) expect(Number(count)).toBeGreaterThan(Number(before[index + 1]));
  });

  test("that no store and no cache has, or that are none of NixOS, change nothing", async () => {
    const running = await fleet.machine("plain").currentSystem();
    const lost = `/nix/store/${"0".repeat(32)}-nixos-system-plain`;
    const run = await deploy(JSON.stringify({ plain: lost }), "plain");
    expect(run.exitCode).toBe(1);
    await expectNothingLeft(run, fleet.machines);
    expect(resultsOf(run)["plain"]).toMatchObject({ status: "failed", phase: "copy", changed: false, configuration: null });
    expect(resultsOf(run)["plain"]?.["error"]).toMatch(
      /could not be downloaded by the machine or the runner.*On the machine:\n.*error: .*On the runner:\n.*error: /s,
    );
    // The cache of the runner has it, and so has the machine before it is looked at.
    const notNixos = (await fleet.runner.exec("cd $(mktemp -d) && echo text >text && nix-store --add text")).stdout.trim();
    await push([notNixos]);
    const other = await deploy(JSON.stringify({ plain: notNixos }), "plain");
    expect(resultsOf(other)["plain"]).toMatchObject({ status: "failed", phase: "copy", changed: false });
    expect(resultsOf(other)["plain"]?.["error"]).toContain(`${notNixos} is not a NixOS system`);
    // The runner has it now.
    for (const machine of fleet.machines) machine.forgetHandshakes();
    const again = await deploy(JSON.stringify({ plain: notNixos }), "plain");
    expect(again.errors).toEqual([expect.stringContaining(`systems: ${notNixos} of plain is not a NixOS system`)]);
    expect(fleet.machine("plain").handshakes().connections).toBe(0);
    expect(await fleet.machine("plain").currentSystem()).toBe(running);
  });
});

describe("a user with sudo that Nix on the machine does not trust", () => {
  const megabytes = 3;
  let version = 0;

  /** Builds systems with a package of three megabytes, and pushes them. */
  async function built(): Promise<{ readonly flake: string; readonly systems: string }> {
    version += 1;
    const machine = { packages: { large: `${version}.0` }, sizes: { large: megabytes * 1000 } };
    const flake = await writeFlake(`${fleet.directory}/large`, { caching: machine, plain: machine }, { git: true });
    const { exitCode, log, outputs } = await build(flake);
    if (exitCode !== 0) throw new Error(log);
    const { systems = "" } = outputs;
    await push([...parseSystems(systems).systems.values()]);
    return { flake, systems };
  }

  /** What each machine receives meanwhile, in megabytes. */
  async function received(work: () => Promise<StepResult>): Promise<{ readonly run: StepResult; readonly caching: number; readonly plain: number }> {
    const before = fleet.machines.map((machine) => machine.receivedBytes());
    const run = await work();
    await expectGreen(run, fleet.machines);
    const [caching = Number.NaN, plain = Number.NaN] = fleet.machines.map((machine, index) => (machine.receivedBytes() - (before[index] ?? 0)) / 1e6);
    return { run, caching, plain };
  }

  test("gets systems from the machine's own binary cache, or from the runner", async () => {
    const { systems } = await built();
    const { run, caching, plain } = await received(async () => await deploy(systems, "deploy@caching\ndeploy@plain", { compress: "false" }));
    for (const machine of fleet.machines) {
      expect(resultsOf(run)[machine.name]).toMatchObject({ status: "deployed" });
      expect(await machine.currentSystem()).toBe(parseSystems(systems).systems.get(machine.name));
    }
    expect(run.log).toContain(`has ${toplevelOf(run, "caching")} from its own binary caches`);
    expect(caching).toBeLessThan(megabytes / 3);
    expect(plain).toBeGreaterThan(megabytes);
  });

  // Blanks are nothing once they are compressed: the log says then what the machine has downloaded.
  test.each<[string, Readonly<Record<string, string>>, { readonly travels: boolean; readonly logged?: RegExp }]>([
    ["of a system that the runner has built, only what the machine's binary cache lacks", { compress: "false" }, { travels: false }],
    [
      "the same in a compressed copy",
      { compress: "auto" },
      { travels: false, logged: /^\[caching\] copying path '[^']*-large-3[.]0' from 'file:\/\/\/cache'/m },
    ],
    ["control: all of it where the machine may not download", { compress: "false", "substitute-on-destination": "false" }, { travels: true }],
  ])("gets %s", async (_, inputs, { travels, logged = /./ }) => {
    const { flake } = await built();
    const all = { ...access(fleet), targets: "deploy@caching#caching", "build-on": "runner", operation: "build", ...inputs };
    const { run, caching } = await received(async () => await fleet.runner.run({ inputs: all, workspace: flake }));
    expect(caching > megabytes).toBe(travels);
    expect(run.log).toMatch(logged);
  });
});

test("a system that does not evaluate or build is not in the outputs, and one that cannot be kept is named", async () => {
  const flake = await writeFlake(
    `${fleet.directory}/broken`,
    {
      caching: { text: "fine" },
      plain: { buildScript: "echo the disk is made of cheese; exit 7" },
      third: { evaluationError: "no such thing as a free lunch" },
    },
    { git: true },
  );
  await fleet.runner.exec("cd /nix/var/nix/gcroots && mv auto away && touch auto");
  const run = await build(flake, { targets: "caching#caching\nplain#plain\nthird#third" });
  await fleet.runner.exec("cd /nix/var/nix/gcroots && rm auto && mv away auto");
  expect(run.exitCode).toBe(1);
  expect(run.outputs).toMatchObject({ count: "1", targets: "caching#caching" });
  expect(parseSystems(run.outputs["systems"] ?? "").names).toEqual(["caching"]);
  expect(run.annotations.map(({ level, title }) => [level, title])).toEqual([
    ["warning", "The systems are not protected from garbage collection"],
    ["error", "plain: build failed"],
    ["error", "third: build failed"],
  ]);
  expect(run.errors[0]).toContain("the disk is made of cheese");
  expect(run.errors[1]).toContain("no such thing as a free lunch");
});
