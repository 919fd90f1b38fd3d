import { existsSync, readFileSync, rmSync } from "node:fs";

import { expect, test } from "@jest/globals";

import { makeSystems } from "../../../src/entry/systems-here.js";
import type { MadeSystems, WantedSystem } from "../../../src/machines/ports.js";
import { makeSentFlake, makeStorePath } from "../domain/make.js";
import { withNix, withProgram } from "../nix/fake-nix.js";
import { temporaryDirectory } from "../temporary.js";

const directory = temporaryDirectory();
const calls = `${directory}/calls`;

/** Makes systems of these configurations, each for the platform behind its name, on a runner that builds for x86_64-linux alone. */
async function make(...configurations: readonly string[]): Promise<{ made: MadeSystems; lines: string[]; calls: string[] }> {
  rmSync(calls, { force: true });
  const system = (name: string): string =>
    `"${name}":{"derivation":"${makeStorePath(`${name}.drv`)}","output":"${makeStorePath(name)}","platform":"${name.replace(/^.*?-/, "")}"}`;
  const nix = `case $1 in
eval) echo '{"names":[],"systems":{${configurations.map(system).join(",")}}}' ;;
*) echo '{"system":{"value":"x86_64-linux"},"extra-platforms":{"value":[]},"builders":{"value":""}}' ;;
esac`;
  const lines: string[] = [];
  const options = { cwd: directory, signal: undefined, onLine: (line: string) => void lines.push(line), buildArgs: [], elsewhere: "build it there" };
  const wanted = configurations.map((name): WantedSystem => ({ name, configuration: name, way: "built-here" }));
  const work = async (): Promise<MadeSystems> => await makeSystems(makeSentFlake(), wanted, options);
  const made = await withProgram(directory, "nix-store", `echo "$*" >> ${calls}`, async () => await withNix(directory, nix, work));
  return { made, lines, calls: existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : [] };
}

test("a system of another platform is refused before anything is built, and hides no other", async () => {
  const alone = await make("pi-aarch64-linux");
  expect(alone.calls).toEqual([]);
  expect(alone.lines).toEqual(["evaluated 1 of 1"]);
  expect(alone.made.failed.get("pi-aarch64-linux")?.hint).toMatch(/^Give the runner a builder for aarch64-linux .* or an emulator .*, or build it there$/);

  const both = await make("pi-aarch64-linux", "web-x86_64-linux");
  expect([...both.made.failed.keys()]).toEqual(["pi-aarch64-linux"]);
  expect(both.lines.slice(-1)).toEqual(["building 1 system on the runner"]);
  expect(both.calls).toEqual([`--realise --keep-going --no-build-output ${makeStorePath("web-x86_64-linux.drv")}`]);
});
