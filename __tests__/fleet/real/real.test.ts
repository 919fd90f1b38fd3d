import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { access, expectGreen, resultsOf, toplevelOf } from "../deployment.js";
import { commitAll, writeFlake } from "../rig/flake.js";
import { Fleet } from "../rig/fleet.js";
import { found, realTools } from "../rig/real-tools.js";
import type { StepResult } from "../rig/runner.js";
import { hosts, writeRealFlake } from "./flakes.js";

const tools = realTools();
if (tools === undefined) throw new Error("REAL_TOOLS is not set. It names the directory of the real programs; CONTRIBUTING.md has its layout");
process.stderr.write(`real tools:\n  ${found(tools).join("\n  ")}\n`);

let fleet: Fleet;

beforeAll(async () => {
  fleet = await Fleet.start([{ name: "web1" }, { name: "db1", suite: "trixie", rebuild: "bash", sshPort: 2222 }]);
});
afterAll(async () => await fleet?.stop());

describe("each Nix of REAL_TOOLS on the runner", () => {
  const cases = tools.nixes.map((program) => ({ program, version: path.basename(path.resolve(program, "../..")) }));
  // The name of the directory is for people: what counts is what the program says.
  if (cases.length > 0) {
    test.each(cases)("$version deploys, and finds the machines unchanged afterwards", async ({ program, version }) => {
      const runner = await fleet.addRunner({ nix: { program } });
      const { stdout } = await runner.exec("nix --version");
      const number = /\d+(?:\.\d+)+/.exec(version)?.[0] ?? version;
      expect(stdout).toContain(number);
      const directory = await writeFlake(`${fleet.directory}/of-${version}`, { web1: { text: version }, db1: { text: version } }, { git: true });
      const step = { inputs: { ...access(fleet), targets: "root@web1\ndeploy@db1:2222" }, workspace: directory };
      const first = await runner.run(step);
      await expectGreen(first, fleet.machines);
      for (const machine of fleet.machines) {
        expect(await machine.currentSystem()).toBe(toplevelOf(first, machine.name));
        expect(await machine.output("cat /etc/motd-nixos")).toBe(version);
      }
      const second = await runner.run(step);
      await expectGreen(second, fleet.machines);
      expect(second.outputs["status"]).toBe("unchanged");
    });
  }
});

const nixos = (name: string): string => `nixosConfigurations.${name}`;
// The edit changes the build of web1.
const kinds = [
  { kind: "nixos", trees: [tools.nixpkgs], attribute: nixos, edit: [`web1 = "web"`, `web1 = "changed"`] },
  { kind: "deploy-rs", trees: [tools.nixpkgs, tools.deployRs], attribute: nixos, edit: [`hostName = "web1";`, `hostName = "web1"; users.motd = "changed";`] },
  { kind: "colmena", trees: [tools.nixpkgs, tools.colmena], attribute: (name: string) => `colmenaHive.nodes.${name}`, edit: ["by colmena", "changed"] },
] as const;
const there = kinds.filter(({ trees }) => trees.every((tree) => tree !== undefined));

if (there.length > 0) {
  describe.each(there)("a flake of $kind over the real trees", ({ kind, attribute, edit }) => {
    let repository: string;
    let base: string;

    beforeAll(async () => {
      repository = `${fleet.directory}/${kind}`;
      base = await writeRealFlake(kind, repository, fleet.runner, tools);
    });

    test("is listed by matrix/", async () => {
      const run = await matrix({});
      expect(JSON.parse(run.outputs["hosts"] ?? "")).toEqual(hosts);
    });

    test("has no machine that has changed since a commit, where other files have, and one, where its configuration has", async () => {
      writeFileSync(`${repository}/README.md`, "not part of any system\n");
      await commitAll(repository);
      expect(JSON.parse((await matrix({ "changed-since": base })).outputs["hosts"] ?? "")).toEqual([]);
      const text = readFileSync(`${repository}/flake.nix`, "utf8");
      expect(text).toContain(edit[0]);
      writeFileSync(`${repository}/flake.nix`, text.replace(edit[0], edit[1]));
      await commitAll(repository);
      expect(JSON.parse((await matrix({ "changed-since": base })).outputs["hosts"] ?? "")).toEqual(["web1"]);
    });

    test("is archived, sent, and evaluated on the machine from what has arrived", async () => {
      const targets = `root@web1#${attribute("web1")}`.replace("#nixosConfigurations.", "#");
      const run = await fleet.runner.run({ inputs: { ...access(fleet), targets, operation: "build" }, workspace: repository, timeout: 600 });
      const source = run.outputs["store-path"] ?? "";
      expect(source).toMatch(/^\/nix\/store\/[a-z0-9]{32}-source$/);
      // Without a binary cache a real NixOS evaluates and does not build.
      expect(resultsOf(run)["web1"]).toMatchObject({ phase: expect.stringMatching(/^(build|)$/) });
      const web1 = fleet.machine("web1");
      expect(await web1.output(`nix eval --raw 'path:${source}#${attribute("web1")}.config.system.build.toplevel.drvPath'`)).toMatch(/^\/nix\/store\/.*\.drv$/);
    });

    async function matrix(inputs: Readonly<Record<string, string>>): Promise<StepResult> {
      const run = await fleet.runner.run({
        inputs,
        workspace: repository,
        entry: "dist/matrix.js",
        actionFile: "matrix/action.yml",
        post: false,
        timeout: 600,
      });
      if (run.exitCode !== 0) throw new Error(`the step failed with ${run.exitCode}:\n${run.log}`);
      return run;
    }
  });
}
