import { readFileSync } from "node:fs";

import { describe, expect, test } from "@jest/globals";

import { EvaluationError } from "../../../src/domain/errors.js";
import { evaluationFailure } from "../../../src/nix/system-failure.js";
import { instantiate, type NoSystem, type Systems } from "../../../src/nix/systems.js";
import { makeStorePath } from "../domain/make.js";
import { rejection } from "../failure-of.js";
import { temporaryDirectory } from "../temporary.js";
import { withNix, withProgram } from "./fake-nix.js";

const directory = temporaryDirectory();
const alone = { cores: 1, memory: 64 * 2 ** 30 };

/** Nix as a shell script that finds the names it is asked for in $names, and whether it is careful in $careful. */
async function ask(
  script: string,
  configurations: readonly string[],
  room = alone,
): Promise<{ systems: Systems; none: Map<string, NoSystem>; progress: number[] }> {
  const nix = `names=$(printf '%s\\n' "$7" | tail -n 1 | sed 's/.*configurations = \\[//; s/\\].*//' | tr -d '"')
case $7 in *"careful = true"*) careful=1 ;; *) careful= ;; esac
echo "$careful:"$names >> ${directory}/calls
hash=/nix/store/0123456789abcdfghijklmnpqrsvwxyz
system() { printf '"%s":{"derivation":"%s-%s.drv","output":"%s-%s","platform":"x86_64-linux"}' "$1" $hash "$1" $hash "$1"; }
${script}`;
  const none = new Map<string, NoSystem>();
  const progress: number[] = [];
  const options = { cwd: directory, signal: undefined, onLine: (): void => undefined };
  const hears = { onNoSystem: (name: string, why: NoSystem) => void none.set(name, why), onProgress: (done: number) => void progress.push(done) };
  const systems = await withNix(directory, nix, async () => await instantiate("path:/nix/store/x", configurations, options, hears, room));
  return { systems, none, progress };
}

test("a system comes with its derivation, its store path and its platform", async () => {
  const { systems, progress } = await ask(`printf '{"names":["web1"],"systems":{'; system web1; printf '}}'`, ["web1"]);
  expect(systems.get("web1")).toEqual({ derivation: makeStorePath("web1.drv"), toplevel: makeStorePath("web1"), platform: "x86_64-linux" });
  expect(progress).toEqual([1]);
});

test("a configuration that the flake does not have comes with those that it has", async () => {
  const { systems, none } = await ask(`printf '{"names":["web1","db"],"systems":{"web2":{}}}'`, ["web2"]);
  expect(systems.size).toBe(0);
  expect(none.get("web2")).toEqual({ kind: "missing", configurations: ["web1", "db"] });
});

test("one that throws is evaluated alone to hear what it says", async () => {
  const script = `[ -n "$careful" ] || { echo "error: no luck today" >&2; exit 1; }
printf '{"names":[],"systems":{"bad":null,'; system good; printf '}}'`;
  const { systems, none } = await ask(script, ["bad", "good"]);
  expect([...systems.keys()]).toEqual(["good"]);
  expect(none.get("bad")).toEqual({ kind: "broken", lines: ["error: no luck today"], together: 1 });
});

test("one that ends the evaluation of its group is found, and hides none of the others", async () => {
  const script = `case " $names " in *" abort "*) echo "error: evaluation aborted" >&2; exit 1 ;; esac
comma=; printf '{"names":[],"systems":{'; for name in $names; do printf "$comma"; system $name; comma=,; done; printf '}}'`;
  const { systems, none } = await ask(script, ["a", "abort", "c", "d"]);
  expect([...systems.keys()]).toEqual(["a", "c", "d"]);
  expect(none.get("abort")).toMatchObject({ kind: "broken", lines: ["error: evaluation aborted"], together: 1 });
});

test("one that machines share is evaluated once", async () => {
  const before = readFileSync(`${directory}/calls`, "utf8").length;
  const script = `comma=; printf '{"names":[],"systems":{'; for name in $names; do printf "$comma"; system $name; comma=,; done; printf '}}'`;
  const { systems, progress } = await ask(script, ["a", "b", "a", "a"], { cores: 2, memory: alone.memory });
  expect([...systems.keys()]).toEqual(["a", "b"]);
  expect(progress).toEqual([1, 2]);
  expect(readFileSync(`${directory}/calls`, "utf8").slice(before).trim().split("\n").toSorted()).toEqual(["1: a", "1: b"]);
});

test("a flake whose outputs do not evaluate is one error, and is not looked for in each configuration", async () => {
  const names = Array.from({ length: 40 }, (_, index) => `h${index}`);
  const before = readFileSync(`${directory}/calls`, "utf8").split("\n").length;
  const error = await rejection(EvaluationError, ask("echo 'error: syntax error, unexpected end of file' >&2; exit 1", names));
  expect(error.lines).toEqual(["error: syntax error, unexpected end of file"]);
  // The first group, then none of it, and no further group.
  expect(readFileSync(`${directory}/calls`, "utf8").split("\n").length - before).toBe(2);
});

test("groups are evaluated at the same time, as many as there are cores", async () => {
  const names = Array.from({ length: 4 }, (_, index) => `h${index}`);
  // Each group waits for the other.
  const script = `set -- $names; touch ${directory}/$1; until [ -e ${directory}/h0 ] && [ -e ${directory}/h2 ]; do sleep 0.05; done
comma=; printf '{"names":[],"systems":{'; for name in $names; do printf "$comma"; system $name; comma=,; done; printf '}}'`;
  const { systems, progress } = await ask(script, names, { cores: 2, memory: alone.memory });
  expect([...systems.keys()].toSorted()).toEqual(names);
  expect(progress).toEqual([2, 4]);
});

describe("the profile of a node of deploy-rs", () => {
  const answer = (system: string): string => `printf '{"names":[],"systems":{"deploy.nodes.web1":${system}}}'`;
  const derivation = makeStorePath("nixos-system-web1.drv");
  const toplevel = makeStorePath("nixos-system-web1");

  test("has what its derivation builds, which Nix is requested", async () => {
    const script = `echo "$*" >> ${directory}/queries\necho ${toplevel}`;
    const work = async (): Promise<Awaited<ReturnType<typeof ask>>> =>
      await ask(answer(`{"derivation":"${derivation}","output":null,"platform":"x86_64-linux"}`), ["deploy.nodes.web1"]);
    const { systems } = await withProgram(directory, "nix-store", script, work);
    expect(systems.get("deploy.nodes.web1")).toEqual({ derivation, toplevel, platform: "x86_64-linux" });
    expect(readFileSync(`${directory}/queries`, "utf8")).toBe(`--query --outputs ${derivation}\n`);
  });

  test("is that of a configuration, with a script of its own or without", async () => {
    const system = `{"derivation":"${derivation}","output":"${toplevel}","platform":null,"configuration":"web1","activation":"${makeStorePath("web1-activate-path.drv")}"}`;
    const work = async (): Promise<Awaited<ReturnType<typeof ask>>> => await ask(answer(system), ["deploy.nodes.web1"]);
    const own = await withProgram(directory, "nix-store", "echo ./bin/hello", work);
    expect(own.systems.get("deploy.nodes.web1")).toEqual({ derivation, toplevel, platform: undefined, configuration: "web1", ownActivation: true });
    const unreadable = await withProgram(directory, "nix-store", "exit 1", work);
    expect(unreadable.systems.get("deploy.nodes.web1")).toMatchObject({ ownActivation: true });
    const plain = await withProgram(directory, "nix-store", "echo '$PROFILE/bin/switch-to-configuration switch'", work);
    expect(plain.systems.get("deploy.nodes.web1")).toEqual({ derivation, toplevel, platform: undefined, configuration: "web1" });
  });

  test("without a system of NixOS is not taken for one that is missing", async () => {
    const { none } = await ask(answer(`{"contains":"activatable-darwin-system-25"}`), ["deploy.nodes.web1"]);
    expect(none.get("deploy.nodes.web1")).toEqual({ kind: "foreign", contains: "activatable-darwin-system-25" });
    expect(evaluationFailure("deploy.nodes.web1", { kind: "foreign", contains: "activatable-darwin-system-25" }).reason).toBe(
      "deploy.nodes.web1.profiles.system.path is activatable-darwin-system-25, which contains no system of NixOS, or more than one",
    );
  });
});
