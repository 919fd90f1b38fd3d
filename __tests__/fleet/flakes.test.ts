import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";

import { documents, nixExpression, readDocument, snippetsOf } from "../../scripts/documents.js";
import { access, expectGreen, expectNothingLeft, resultsOf, toplevelOf } from "./deployment.js";
import { check } from "./rig/command.js";
import { type Behaviour, commitAll, type FlakeOptions, headOf, writeFlake } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";
import type { Step, StepResult } from "./rig/runner.js";

let fleet: Fleet;
// The repository of one test.
let repository: string;
let tests = 0;

beforeAll(async () => {
  fleet = await Fleet.start([
    { name: "new", suite: "forky", rebuild: "ng" },
    { name: "old", suite: "trixie", rebuild: "bash" },
  ]);
});

afterAll(async () => {
  await fleet?.stop();
});

beforeEach(() => {
  tests += 1;
  repository = `${fleet.directory}/repository-${tests}`;
});

async function write(behaviour: Behaviour, options: FlakeOptions = {}): Promise<string> {
  return await writeFlake(repository, { new: { text: `${tests}`, ...behaviour }, old: { text: `${tests}`, ...behaviour } }, options);
}

// What a machine that was built of this flake knows of its date.
const date = { textPrefix: 'toString self.lastModified + " "' };

function step(inputs: Readonly<Record<string, string>> = {}): Step {
  return { inputs: { ...access(fleet), targets: "root@new\ndeploy@old", ...inputs }, workspace: repository };
}

async function deploy(inputs: Readonly<Record<string, string>> = {}): Promise<StepResult> {
  return await fleet.runner.run(step(inputs));
}

/** Deploys what must arrive: both machines run what was built. */
async function deployed(inputs: Readonly<Record<string, string>> = {}): Promise<StepResult> {
  const run = await deploy(inputs);
  await expectGreen(run, fleet.machines);
  for (const machine of fleet.machines) {
    expect(resultsOf(run)[machine.name]).toMatchObject({ status: "deployed", changed: true });
    expect(await machine.currentSystem()).toBe(toplevelOf(run, machine.name));
    expect(await machine.systemProfile()).toBe(toplevelOf(run, machine.name));
  }
  return run;
}

async function onBoth(script: string): Promise<string[]> {
  return await Promise.all(fleet.machines.map(async (machine) => await machine.output(script)));
}

function twice<T>(value: T): T[] {
  return [value, value];
}

const revision = `/run/current-system/sw/bin/nixos-version --json | jq -r .configurationRevision`;
const motd = "cat /etc/motd-nixos";

describe("the flake's identity survives", () => {
  async function commitDate(): Promise<string> {
    return (await check("git", ["-C", repository, "log", "-1", "--format=%ct"])).trim();
  }

  test("of a Git repository", async () => {
    await write({}, { git: true, ...date });
    const run = await deployed();
    expect(await onBoth(revision)).toEqual(twice(await headOf(repository)));
    expect(await onBoth(motd)).toEqual(twice(`${await commitDate()} ${tests}`));
    const hash = encodeURIComponent((await fleet.machine("new").output(`nix hash path ${run.outputs["store-path"]}`)).trim()).replaceAll("%2F", "/");
    expect(run.outputs["flake-ref"]).toBe(
      `path:${run.outputs["store-path"]}?rev=${await headOf(repository)}&revCount=1&lastModified=${await commitDate()}&narHash=${hash}`,
    );
    expect(run.annotations).toEqual([]);
  });

  test("of a subdirectory of a repository, beside which its other files arrive", async () => {
    await write({}, { git: true, subdirectory: "nix/my machines", textPrefix: `toString self.lastModified + " " + builtins.readFile ../shared/text` });
    mkdirSync(`${repository}/nix/shared`);
    writeFileSync(`${repository}/nix/shared/text`, "from beside");
    await commitAll(repository);
    const run = await deployed({ flake: "./nix/my machines" });
    expect(await onBoth(revision)).toEqual(twice(await headOf(repository)));
    expect(await onBoth(motd)).toEqual(twice(`${await commitDate()} from beside${tests}`));
    expect(run.outputs["flake-ref"]).toContain("?dir=nix/my%20machines&");
    expect(await onBoth(`ls ${run.outputs["store-path"]}/nix`)).toEqual(twice("my machines\nshared"));
  });

  test("of a reference that names an older commit", async () => {
    await write({ text: "older" }, { git: true });
    const older = await headOf(repository);
    await write({ text: "newer" }, { git: true });
    await deployed({ flake: `git+file://${repository}?rev=${older}` });
    expect(await onBoth(revision)).toEqual(twice(older));
    expect(await onBoth(motd)).toEqual(twice("older"));
  });
});

describe("a flake without a commit", () => {
  test("a dirty tree is deployed as it is, with a warning", async () => {
    await write({}, { git: "dirty", ...date });
    const file = `${repository}/machines.json`;
    writeFileSync(file, readFileSync(file, "utf8").replaceAll(`"text":"${tests}"`, '"text":"not committed"'));
    const run = await deployed();
    expect(run.annotations).toEqual([
      { level: "warning", title: "The flake has uncommitted changes", message: expect.stringContaining("does not match a commit") },
    ]);
    expect(await onBoth(revision)).toEqual(twice("null"));
    expect(await onBoth(motd)).toEqual(twice(expect.stringMatching(/^\d{10} not committed$/)));
    expect(run.outputs["flake-ref"]).not.toContain("rev=");
  });

  test("a plain directory is deployed without one", async () => {
    await write({});
    const run = await deployed({ flake: `path:${repository}` });
    expect(run.annotations).toEqual([]);
    expect(await onBoth(revision)).toEqual(twice("null"));
    expect(await onBoth(motd)).toEqual(twice(`${tests}`));
  });

  test("a plain directory below the workspace, by its relative path", async () => {
    await write({}, { subdirectory: "machines" });
    const run = await deployed({ flake: "./machines" });
    expect(run.annotations).toEqual([]);
    expect(await onBoth(motd)).toEqual(twice(`${tests}`));
  });
});

describe("inputs", () => {
  test("by path, inside the repository and outside of it, and by git arrive on machines that cannot reach them", async () => {
    const beside = `${fleet.directory}/beside`;
    const library = `${fleet.directory}/library`;
    const words = `${fleet.directory}/words`;
    for (const directory of [beside, library, words, `${repository}/inside`]) mkdirSync(directory, { recursive: true });
    writeFileSync(`${beside}/text`, "a path, ");
    writeFileSync(`${repository}/inside/text`, "a relative path, ");
    writeFileSync(`${words}/text`, "the input of an input, ");
    await commitAll(words);
    writeFileSync(
      `${library}/flake.nix`,
      `{ inputs.words = { url = "git+file://${words}"; flake = false; }; outputs = { self, words }: { text = "a git flake, " + builtins.readFile (words + "/text"); }; }`,
    );
    await commitAll(library);
    const outside = (await onBoth(`ls -d ${beside} ${library} ${words} 2>/dev/null; true`)).join("");
    expect(outside).toBe("");

    await write(
      {},
      {
        git: true,
        inputs: {
          beside: `{ url = "path:${beside}"; flake = false; }`,
          inside: `{ url = "path:./inside"; flake = false; }`,
          library: `{ url = "git+file://${library}"; }`,
          words: `{ follows = "library/words"; }`,
        },
        textPrefix: `builtins.readFile (inputs.beside + "/text") + builtins.readFile (inputs.inside + "/text") + inputs.library.text + builtins.readFile (inputs.words + "/text")`,
        lock: async (script) => await fleet.runner.exec(script),
      },
    );
    await deployed();
    expect(await onBoth(motd)).toEqual(twice(`a path, a relative path, a git flake, the input of an input, the input of an input, ${tests}`));
    expect(await onBoth(revision)).toEqual(twice(await headOf(repository)));
  });

  test("without a lock file are explained, and no lock file is written", async () => {
    const beside = `${fleet.directory}/unlocked`;
    mkdirSync(beside, { recursive: true });
    await write({}, { git: true, inputs: { beside: `{ url = "path:${beside}"; flake = false; }` } });
    const before = await onBoth("readlink -f /run/current-system");
    const run = await deploy();
    expect(run.exitCode).toBe(1);
    await expectNothingLeft(run, fleet.machines);
    expect(run.errors).toEqual([
      expect.stringMatching(
        /no host was changed:\n {2}flake: flake\.lock of \. is missing, incomplete or not tracked by Git\. Run `nix flake lock`, commit flake\.lock/,
      ),
    ]);
    expect(existsSync(`${repository}/flake.lock`)).toBe(false);
    expect(await check("git", ["-C", repository, "status", "--porcelain"])).toBe("");
    expect(run.outputs).toMatchObject({ status: "failed", "store-path": "", "flake-ref": "", changed: "false" });
    expect(await onBoth("readlink -f /run/current-system")).toEqual(before);
  });
});

describe("what is no flake is explained", () => {
  test.each([
    ["a repository without flake.nix", async () => await commitAll(repository), ".", /flake\.nix was not found at \./],
    ["a directory without flake.nix", async () => undefined, `path:.`, /flake\.nix was not found at path:\./],
    ["a flake.nix that Git does not know", async () => await untracked(), ".", /flake\.nix at \. is not tracked by Git, .*Run `git add` on it/],
    ["a directory without its dot", async () => undefined, "nixos", /If it is a directory, write \.\/nixos/],
    ["a directory that does not exist", async () => undefined, "./nowhere", /the directory \.\/nowhere was not found\. .*actions\/checkout/],
  ])("%s", async (_, make: () => Promise<unknown>, flake: string, message: RegExp) => {
    mkdirSync(repository);
    writeFileSync(`${repository}/README.md`, "no flake\n");
    await make();
    const run = await deploy({ flake });
    expect(run.exitCode).toBe(1);
    await expectNothingLeft(run, fleet.machines);
    expect(run.errors).toEqual([expect.stringMatching(message)]);
    expect(run.outputs).toMatchObject({ status: "failed", "store-path": "", changed: "false" });
  });

  async function untracked(): Promise<void> {
    await commitAll(repository);
    await write({});
  }
});

describe("garbage collection on the machines", () => {
  test("takes nothing of a run away while it builds, and all of it afterwards", async () => {
    const beside = `${fleet.directory}/rooted`;
    mkdirSync(beside, { recursive: true });
    writeFileSync(`${beside}/text`, "rooted ");
    // The first machine waits with its built system for the second one.
    await writeFlake(
      repository,
      { new: { text: "fast" }, old: { text: "slow", buildSeconds: 4 } },
      {
        git: true,
        inputs: { beside: `{ url = "path:${beside}"; flake = false; }` },
        textPrefix: `builtins.readFile (inputs.beside + "/text")`,
        lock: async (script) => await fleet.runner.exec(script),
      },
    );
    const running = fleet.runner.start(step());
    const built = (await running.waitFor(/\[new\] built (\S+)/))[1] ?? "";
    await running.waitFor(/\[old\] building the system configuration/);
    const [arrived = ""] = await running.waitFor(/\/nix\/store\/[a-z0-9]{32}-source/);
    // Not rooted: the collection does its work.
    const rubbish = await onBoth("echo rubbish > /tmp/rubbish; nix-store --add /tmp/rubbish");
    await onBoth("nix-collect-garbage 2>&1");
    for (const [index, machine] of fleet.machines.entries()) await machine.output(`test ! -e ${rubbish[index]}`);
    await onBoth(`test -e ${arrived}/flake.nix`);
    expect(await onBoth(`nix-store --query --roots ${arrived}`)).toEqual(twice(expect.stringMatching(/\/nix-flake-deploy/)));
    expect(running.output()).not.toContain("[old] built");

    const run = await running.finished;
    await expectGreen(run, fleet.machines);
    expect(run.outputs).toMatchObject({ status: "deployed", deployed: "2", "store-path": arrived });
    expect(toplevelOf(run, "new")).toBe(built);
    expect(await onBoth(motd)).toEqual(["rooted fast", "rooted slow"]);

    await onBoth("nix-collect-garbage 2>&1");
    await onBoth(`test ! -e ${arrived}`);
    // What runs is rooted by the profile.
    await onBoth("test -e /run/current-system/nixos-version");
  });

  test("also of a user without root", async () => {
    await write({ buildSeconds: 3 }, { git: true });
    const running = fleet.runner.start(step({ targets: "nosudo@new\nnosudo@old", operation: "build" }));
    await running.waitFor(/\[old\] building the system configuration/);
    await running.waitFor(/\[new\] building the system configuration/);
    const [arrived = ""] = await running.waitFor(/\/nix\/store\/[a-z0-9]{32}-source/);
    await onBoth("nix-collect-garbage 2>&1");
    await onBoth(`test -e ${arrived}/flake.nix`);
    expect(await onBoth(`nix-store --query --roots ${arrived}`)).toEqual(twice(expect.stringMatching(/\/nix-flake-deploy/)));
    const run = await running.finished;
    await expectGreen(run, fleet.machines);
    expect(run.outputs).toMatchObject({ status: "planned", failed: "0" });
    await onBoth("nix-collect-garbage 2>&1");
    await onBoth(`test ! -e ${arrived}`);
  });
});

describe("further arguments, one per line", () => {
  // Stands before a program and writes down how it was called.
  const recorder = (program: string, file: string): string => `#!/bin/sh\n{ printf '%s\\n' "$@"; echo --; } >> ${file}\nexec ${program} "$@"\n`;
  const place = (file: string, text: string): void => {
    writeFileSync(file, text);
    chmodSync(file, 0o755);
  };
  const calls = (text: string): string[][] =>
    `${text.trim()}\n`
      .split("\n--\n")
      .filter((call) => call !== "")
      .map((call) => call.split("\n"));

  afterEach(() => {
    rmSync(path.join(fleet.runner.root, "usr/local/bin/nix"), { force: true });
  });

  test("reach nixos-rebuild, unchanged by any shell", async () => {
    await write({}, { git: true });
    for (const machine of fleet.machines) {
      await machine.output("mv /usr/local/bin/nixos-rebuild /usr/local/lib/nixos-rebuild");
      place(path.join(machine.root, "usr/local/bin/nixos-rebuild"), recorder("/usr/local/lib/nixos-rebuild", "/root/calls"));
    }
    const odd = `$(touch /root/harm) "it's" * \\ ;`;
    await deployed({ "rebuild-args": `--show-trace\n\n  --option\nuser-agent-suffix\n${odd}\n` });
    for (const machine of fleet.machines) {
      await machine.output("mv /usr/local/lib/nixos-rebuild /usr/local/bin/nixos-rebuild; test ! -e /root/harm");
      const made = calls(await machine.output("cat /root/calls"));
      expect(made.map(([operation]) => operation)).toEqual(["build"]);
      for (const call of made) expect(call.slice(-4)).toEqual(["--show-trace", "--option", "user-agent-suffix", odd]);
    }
  });

  test("reach nix flake archive, unchanged by any shell", async () => {
    await write({}, { git: true });
    place(path.join(fleet.runner.root, "usr/local/bin/nix"), recorder("/usr/bin/nix", "/root/calls"));
    const odd = `$(touch /root/harm) "it's" * ;`;
    await deployed({ "archive-args": `--option\r\nuser-agent-suffix\r\n${odd}\r\n` });
    expect((await fleet.runner.exec("test -e /root/harm")).code).not.toBe(0);
    const sent = calls((await fleet.runner.exec("cat /root/calls")).stdout).filter((call) => call.includes("--to"));
    // Sent again to a machine that is late with its garbage collection roots.
    expect(new Set(sent.map((call) => call[call.indexOf("--to") + 1]))).toEqual(new Set(["ssh-ng://new", "ssh-ng://old"]));
    for (const call of sent) expect(call.join("\n")).toContain(`--option\nuser-agent-suffix\n${odd}`);
  });

  test("that are not on the list are refused before any machine is contacted", async () => {
    await write({}, { git: true });
    const before = fleet.machines.map((machine) => machine.handshakes());
    const run = await deploy({
      "archive-args": "--no-such-option\n--dry-run",
      "rebuild-args": "--profile-name\nother\n--option\nsubstituters\nhttps://cache.example.org",
    });
    expect(run.exitCode).toBe(1);
    const [message = ""] = run.errors;
    for (const problem of [
      'archive-args: "--no-such-option" is not allowed; allowed options are --debug, ',
      "archive-args: --dry-run is not allowed: nothing would be sent to the machine; use operation: build or dry-activate",
      "rebuild-args: --profile-name is not allowed: other profiles than the system profile are not supported",
      "rebuild-args: --option substituters is not allowed: it changes where store paths come from",
    ])
      expect(message).toContain(problem);
    expect(fleet.machines.map((machine) => machine.handshakes())).toEqual(before);
  });

  test("that an older Nix or nixos-rebuild does not know fail in their phase, with the input to look at", async () => {
    await write({}, { git: true });
    const before = await onBoth("readlink -f /run/current-system");
    const older = (program: string, option: string, error: string): string =>
      `#!/bin/sh\ncase " $* " in *" ${option} "*) echo "${error}" >&2; exit 1 ;; esac\nexec ${program} "$@"\n`;
    place(path.join(fleet.runner.root, "usr/local/bin/nix"), older("/usr/bin/nix", "--repair", "error: unrecognised flag '--repair'"));
    const archive = await deploy({ "archive-args": "--repair", retries: "0" });
    expect(archive.exitCode).toBe(1);
    expect(archive.errors).toEqual(twice(expect.stringMatching(/does not support an argument\. Check archive-args/)));
    expect(Object.values(resultsOf(archive)).map((result) => result["phase"])).toEqual(twice("copy"));
    rmSync(path.join(fleet.runner.root, "usr/local/bin/nix"));
    for (const machine of fleet.machines) {
      await machine.output("mv /usr/local/bin/nixos-rebuild /usr/local/lib/nixos-rebuild");
      place(
        path.join(machine.root, "usr/local/bin/nixos-rebuild"),
        older("/usr/local/lib/nixos-rebuild", "--offline", "/run/current-system/sw/bin/nixos-rebuild: unknown option \\`--offline'"),
      );
    }
    const rebuild = await deploy({ "rebuild-args": "--offline" });
    await onBoth("mv /usr/local/lib/nixos-rebuild /usr/local/bin/nixos-rebuild");
    expect(rebuild.exitCode).toBe(1);
    expect(rebuild.errors).toEqual(twice(expect.stringMatching(/does not support an argument .*\. Check rebuild-args/)));
    expect(Object.values(resultsOf(rebuild)).map((result) => result["phase"])).toEqual(twice("build"));
    await expectNothingLeft(rebuild, fleet.machines);
    expect(await onBoth("readlink -f /run/current-system")).toEqual(before);
  });
});

test("Nix parses every Nix snippet of the documents", async () => {
  const parse = async (text: string): Promise<string> => {
    writeFileSync(`${fleet.directory}/snippet.nix`, nixExpression(text));
    const { code, stderr } = await fleet.runner.exec(`nix-instantiate --parse '${fleet.directory}/snippet.nix'`);
    return code === 0 ? "" : stderr;
  };
  const snippets = documents()
    .flatMap((document) => snippetsOf(document, readDocument(document)))
    .filter(({ language }) => language === "nix");
  expect(snippets.length).toBeGreaterThan(3);
  for (const snippet of snippets) expect({ ...snippet, problem: await parse(snippet.text) }).toEqual({ ...snippet, problem: "" });
  expect(await parse("a = 1;\nb = [ 2;\n")).toContain("syntax error");
});
