import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { access, expectNothingLeft, resultsOf } from "./deployment.js";
import { commitAgain, identityFlake, lockAndCommit, writeTree } from "./identity-flake.js";
import { check } from "./rig/command.js";
import { commitAll, headOf } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";
import type { StepResult } from "./rig/runner.js";

// What a machine builds is what `nix build` gives in the checkout, for every kind of flake.

const suites = { new: "forky", middle: "trixie", old: "bookworm" } as const;
type Name = keyof typeof suites;
const names: readonly Name[] = ["new", "middle", "old"];

let fleet: Fleet;
let flakes = 0;

beforeAll(async () => {
  fleet = await Fleet.start(names.map((name) => ({ name, suite: suites[name], rebuild: name === "new" ? ("ng" as const) : ("bash" as const) })));
  // Submodules by path, which Git has switched off since CVE-2022-39253.
  await fleet.runner.exec("git config --global protocol.file.allow always");
});

afterAll(async () => {
  await fleet?.stop();
});

/** A workspace, and the reference by which the flake is found from there. */
type Made = { readonly workspace: string; readonly flake?: string };

type Kind = {
  readonly make: (directory: string) => Promise<Made> | Made;
  /** What another machine builds, or why it does not: each is a row of docs/nix-versions.md. */
  readonly except?: Partial<Record<Name, RegExp>>;
};

function directory(): string {
  flakes += 1;
  const made = `${fleet.directory}/flake-${flakes}`;
  mkdirSync(made, { recursive: true });
  return made;
}

async function repository(root: string, files: Readonly<Record<string, string>>): Promise<Made> {
  writeTree(root, files);
  await commitAll(root);
  return { workspace: root };
}

async function locked(root: string, files: Readonly<Record<string, string>>): Promise<Made> {
  writeTree(root, files);
  await lockAndCommit(fleet.runner, root);
  return { workspace: root };
}

async function onRunner(script: string): Promise<void> {
  const { code, stderr } = await fleet.runner.exec(script);
  if (code !== 0) throw new Error(stderr);
}

const plain = { "flake.nix": identityFlake() };
// Before 2.14, `self.outPath` of a flake in a subdirectory is the root of the source: another system.
const anotherSystem = /^\/nix\/store\/[a-z0-9]{32}-nixos-system-web1$/;

/** A lock file of a newer Nix. */
function unreadable(entry: RegExp): RegExp {
  return new RegExp(`Nix on the machine \\(nix \\(Nix\\) 2\\.8\\.0\\) cannot read an entry of flake\\.lock: ${entry.source}`);
}

const kinds: Readonly<Record<string, Kind>> = {
  "a full clone": { make: async (root) => await repository(root, plain) },
  "a shallow clone": {
    make: async (root) => {
      await repository(`${root}/origin`, plain);
      await repository(`${root}/origin`, { more: "another commit" });
      await onRunner(`git clone --quiet --depth 1 file://${root}/origin ${root}/clone`);
      return { workspace: `${root}/clone` };
    },
  },
  "a dirty tree": {
    make: async (root) => {
      await repository(root, { ...plain, text: "one" });
      writeFileSync(`${root}/text`, "two");
      return { workspace: root };
    },
  },
  "a plain directory": {
    make: (root) => {
      writeTree(root, plain);
      return { workspace: root, flake: `path:${root}` };
    },
  },
  "a subdirectory, with another flake at the root": {
    make: async (root) => {
      await repository(root, {
        "flake.nix": identityFlake({ more: '"the wrong one"' }),
        "nix/my machines/flake.nix": identityFlake({ more: "builtins.readFile ../beside" }),
        "nix/beside": "beside",
      });
      return { workspace: root, flake: "./nix/my machines" };
    },
    except: { old: anotherSystem },
  },
  "submodules that the flake asks for": {
    make: async (root) => await withSubmodule(root, identityFlake({ inputs: "inputs.self.submodules = true;", more: "builtins.readFile ./sub/text" })),
  },
  "submodules that the reference asks for": {
    make: async (root) => ({ ...(await withSubmodule(root, identityFlake({ more: "builtins.readFile ./sub/text" }))), flake: ".?submodules=1" }),
  },
  "inputs inside the repository": {
    make: async (root) =>
      await locked(root, {
        "flake.nix": identityFlake({
          inputs: 'inputs.inside = { url = "path:./inside"; flake = false; }; inputs.library.url = "path:./library";',
          more: '[ (builtins.readFile (inputs.inside + "/text")) inputs.library.text ]',
        }),
        "inside/text": "inside",
        "library/flake.nix": '{ outputs = _: { text = "a library"; }; }',
      }),
    except: { old: unreadable(/lockfile contains mutable lock/) },
  },
  "inputs by git and path, one that follows another, some no flakes": {
    make: async (root) => {
      await repository(`${root}/words`, { text: "words" });
      await repository(`${root}/library`, {
        "flake.nix": '{ inputs.words.url = "path:/nowhere"; outputs = { words, ... }: { text = builtins.readFile (words + "/text"); }; }'.replace(
          'inputs.words.url = "path:/nowhere"',
          `inputs.words = { url = "git+file://${root}/words"; flake = false; }`,
        ),
      });
      writeTree(root, { "path/text": "of a path" });
      return await locked(`${root}/flake`, {
        "flake.nix": identityFlake({
          inputs: `inputs.library = { url = "git+file://${root}/library"; };
            inputs.words.follows = "library/words";
            inputs.beside = { url = "path:${root}/path"; flake = false; };`,
          more: `[ inputs.library.text (builtins.readFile (inputs.words + "/text")) (builtins.readFile (inputs.beside + "/text")) ]`,
        }),
      });
    },
  },
  "an input that is a tarball": {
    make: async (root) => {
      writeTree(root, { "tar/top/text": "of a tarball" });
      await check("tar", ["czf", `${root}/tree.tar.gz`, "-C", `${root}/tar`, "top"]);
      return await locked(`${root}/flake`, {
        "flake.nix": identityFlake({
          inputs: `inputs.tree = { url = "file://${root}/tree.tar.gz"; flake = false; };`,
          more: `builtins.readFile (inputs.tree + "/text")`,
        }),
      });
    },
    except: { old: unreadable(/unsupported tarball input attribute 'lastModified'/) },
  },
  "an input that is a file": {
    make: async (root) => {
      writeTree(root, { file: "of a file" });
      return await locked(`${root}/flake`, {
        "flake.nix": identityFlake({
          inputs: `inputs.single = { url = "file+file://${root}/file"; flake = false; };`,
          more: "builtins.readFile inputs.single",
        }),
      });
    },
    except: { old: unreadable(/cannot fetch unsupported input '\{[^']*"type":"file"/) },
  },
  "a lock file of version 5": { make: async (root) => await withLockVersion(root, 5) },
  "a lock file of version 6": { make: async (root) => await withLockVersion(root, 6) },
  "a lock file of version 7": { make: async (root) => await withLockVersion(root, 7) },
  "import from derivation": {
    make: async (root) => await repository(root, { "flake.nix": identityFlake({ more: `import (drv "value.nix" "echo 7 > $out")` }) }),
  },
  "builtins.path and filterSource": {
    make: async (root) =>
      await repository(root, {
        "flake.nix": identityFlake({
          more: `[ "\${builtins.path { path = ./tree; name = "all"; }}" "\${builtins.filterSource (path: _: baseNameOf path != "out") ./tree}" ]`,
        }),
        "tree/in": "in",
        "tree/out": "out",
      }),
  },
  "executable files, symbolic links and odd names": {
    make: async (root) =>
      await repository(root, {
        "flake.nix": identityFlake({ more: `"\${./tree}"` }),
        "tree/run": "#!/bin/sh\n",
        "tree/link": "-> run",
        "tree/to nowhere": "-> ../../nowhere",
        "tree/a b#c?d%20é": "odd",
      }),
  },
  "attributes of Git: export-ignore, line ends, ident": {
    make: async (root) =>
      await repository(root, {
        "flake.nix": identityFlake({ more: `builtins.readDir ./tree` }),
        ".gitattributes": "tree/ignored export-ignore\ntree/crlf text eol=crlf\ntree/ident ident\n",
        "tree/ignored": "ignored",
        "tree/crlf": "one\ntwo\n",
        "tree/ident": "$Id$\n",
      }),
  },
  "a work tree of git worktree": {
    make: async (root) => {
      await repository(`${root}/main`, plain);
      await check("git", ["-C", `${root}/main`, "worktree", "add", "--quiet", `${root}/linked`]);
      return { workspace: `${root}/linked` };
    },
  },
  "a workspace behind a symbolic link": {
    make: async (root) => {
      await repository(`${root}/real`, plain);
      symlinkSync(`${root}/real`, `${root}/link`);
      return { workspace: `${root}/link` };
    },
  },
  "a workspace with blanks, # ? and % in its name": { make: async (root) => await repository(`${root}/a b#c?d%20e`, plain) },
  "a reference with a ref": {
    make: async (root) => {
      await repository(root, plain);
      await check("git", ["-C", root, "branch", "release"]);
      return { workspace: root, flake: `git+file://${root}?ref=release` };
    },
  },
  "a tarball": {
    make: async (root) => {
      writeTree(`${root}/tree/top`, plain);
      await check("tar", ["czf", `${root}/flake.tar.gz`, "-C", `${root}/tree`, "top"]);
      return { workspace: root, flake: `file://${root}/flake.tar.gz` };
    },
  },
};

async function withSubmodule(root: string, flake: string): Promise<Made> {
  await repository(`${root}/sub`, { text: "of a submodule" });
  const made = await repository(`${root}/main`, { "flake.nix": flake });
  await check("git", ["-C", made.workspace, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", `${root}/sub`, "sub"]);
  await commitAll(made.workspace);
  return made;
}

async function withLockVersion(root: string, version: number): Promise<Made> {
  writeTree(root, { "beside/text": "beside" });
  const made = await locked(`${root}/flake`, {
    "flake.nix": identityFlake({
      inputs: `inputs.beside = { url = "path:${root}/beside"; flake = false; };`,
      more: 'builtins.readFile (inputs.beside + "/text")',
    }),
  });
  const file = `${made.workspace}/flake.lock`;
  writeFileSync(file, readFileSync(file, "utf8").replace('"version": 7', `"version": ${version}`));
  await commitAll(made.workspace);
  return made;
}

async function build({ workspace, flake = "." }: Made): Promise<StepResult> {
  const targets = JSON.stringify(names.map((name) => ({ host: name, user: "root", configuration: "web1", name })));
  return await fleet.runner.run({ inputs: { ...access(fleet), targets, flake, operation: "build", diff: "false" }, workspace });
}

/** What each machine has built, or why it has not. */
function systemsOf(run: StepResult): Record<Name, unknown> {
  const of = (name: Name): unknown => resultsOf(run)[name]?.["system-path"] ?? resultsOf(run)[name]?.["error"] ?? run.log;
  return { new: of("new"), middle: of("middle"), old: of("old") };
}

/** The system that the flake's author gets, in the checkout, by the runner's Nix. */
async function built({ workspace, flake = "." }: Made): Promise<string> {
  const attribute = "nixosConfigurations.web1.config.system.build.toplevel";
  const { code, stdout, stderr } = await fleet.runner.exec(`cd '${workspace}' && nix build --no-link --print-out-paths '${flake}#${attribute}'`);
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
}

describe("the build of a machine is what `nix build` gives in the checkout", () => {
  test.each(Object.entries(kinds))("of %s", async (_, { make, except = {} }) => {
    const made = await make(directory());
    const expected = await built(made);
    const run = await build(made);
    const systems = systemsOf(run);
    const others = Object.fromEntries(names.flatMap((name) => (systems[name] === expected ? [] : [[name, systems[name]]])));
    expect(others).toEqual(Object.fromEntries(Object.entries(except).map(([name, pattern]) => [name, expect.stringMatching(pattern)])));
    await expectNothingLeft(run, fleet.machines);
  });
});

describe("the evaluation cache of a machine", () => {
  test.each([
    ["a full clone", async (root: string) => await Promise.resolve(root)],
    [
      "a shallow clone",
      async (root: string) => {
        const clone = `${root}-${await headOf(root)}`;
        await onRunner(`git clone --quiet --depth 1 file://${root} ${clone}`);
        return clone;
      },
    ],
  ])("never gives the result of another commit with the same tree, date and number, in %s", async (_, checkout) => {
    const root = directory();
    writeTree(root, { "flake.nix": identityFlake() });
    await commitAll(root);
    const systems: unknown[] = [];
    for (const message of ["one", "two", "three"]) {
      const revision = await commitAgain(root, message);
      const made = { workspace: await checkout(root) };
      const run = await build(made);
      expect(run.exitCode).toBe(0);
      const system = systemsOf(run).new;
      expect(systemsOf(run)).toEqual({ new: system, middle: system, old: system });
      expect(JSON.parse(await fleet.machine("new").output(`cat ${String(system)}`))).toMatchObject({ rev: revision });
      systems.push(system);
    }
    expect(new Set(systems).size).toBe(3);
  });

  test("control: a reference with the revision, and without an outer flake, gives the result of the other commit", async () => {
    const root = directory();
    writeTree(root, { "flake.nix": identityFlake() });
    await commitAll(root);
    const systems: string[] = [];
    for (const message of ["one", "two"]) {
      await commitAgain(root, message);
      const run = await build({ workspace: root });
      const reference = (run.outputs["flake-ref"] ?? "").replaceAll("%2B", "+").replaceAll("%3D", "=");
      systems.push(
        await fleet
          .machine("new")
          .output(
            `nix path-info '${reference}#nixosConfigurations.web1.config.system.build.toplevel' || nix build --no-link --print-out-paths '${reference}#nixosConfigurations.web1.config.system.build.toplevel'`,
          ),
      );
    }
    expect(systems[0]).toBe(systems[1]);
  });

  test("is used: the second evaluation of a commit reads no file of the flake", async () => {
    const root = directory();
    writeTree(root, { "flake.nix": identityFlake({ more: 'builtins.trace "evaluated anew" 1' }) });
    await commitAll(root);
    const first = await build({ workspace: root });
    expect(first.log.match(/^\[\w+\] trace: evaluated anew$/gm)).toHaveLength(names.length);
    const second = await build({ workspace: root });
    expect(second.exitCode).toBe(0);
    expect(second.log).not.toContain("evaluated anew");
  });
});
