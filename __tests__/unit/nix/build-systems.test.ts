import { describe, expect, test } from "@jest/globals";

import { CommandError } from "../../../src/domain/errors.js";
import { renderFailure } from "../../../src/domain/failure.js";
import { buildArguments, buildSystems } from "../../../src/nix/build-systems.js";
import { buildFailure, evaluationFailure, platformFailure } from "../../../src/nix/system-failure.js";
import { makeStorePath } from "../domain/make.js";
import { rejection } from "../failure-of.js";
import { temporaryDirectory } from "../temporary.js";
import { withProgram } from "./fake-nix.js";

const elsewhere = "build it there";
const directory = temporaryDirectory();
const options = { extraArgs: [], signal: undefined, onLine: (): void => undefined };

function makeSystem(name: string): { derivation: ReturnType<typeof makeStorePath>; toplevel: ReturnType<typeof makeStorePath>; platform: string } {
  return { derivation: makeStorePath(`${name}.drv`), toplevel: makeStorePath(name), platform: "x86_64-linux" };
}

const systems = new Map(["web1", "web2", "db"].map((name) => [name, makeSystem(name)]));

describe("a build on the runner", () => {
  test("builds what several configurations share once", () => {
    const one = makeSystem("web1");
    expect(buildArguments([one, one, makeSystem("db")], ["--cores", "2"])).toEqual([
      "--realise",
      "--keep-going",
      "--no-build-output",
      "--cores",
      "2",
      makeStorePath("web1.drv"),
      makeStorePath("db.drv"),
    ]);
  });

  test("of nothing runs nothing", async () => {
    expect(await buildSystems(new Map(), options)).toEqual(new Map());
  });

  test("shows what Nix prints, but not its warning about roots, which the action sets itself where they are needed", async () => {
    const lines: string[] = [];
    const script = `echo "warning: you did not specify '--add-root'; the result might be removed by the garbage collector" >&2; echo "building x" >&2`;
    const work = async (): Promise<unknown> => await buildSystems(systems, { ...options, onLine: (line) => void lines.push(line) });
    await withProgram(directory, "nix-store", script, work);
    expect(lines).toEqual(["building x"]);
  });

  test("gives each failed system the failures of its own derivations", async () => {
    // As Nix 2.34 prints it: bash is in web1 and in db, openssl in db alone.
    const script = `case $1 in
--realise) cat >&2 <<'END'
error: Cannot build '${makeStorePath("bash.drv")}'.
       Reason: builder failed with exit code 3.
       Last 1 log lines:
       > no disk of cheese
error: Cannot build '${makeStorePath("openssl.drv")}'.
       Reason: builder failed with exit code 7.
       Last 1 log lines:
       > no key of chalk
error: Cannot build '${makeStorePath("web1.drv")}'.
       Reason: 1 dependency failed.
error: Cannot build '${makeStorePath("db.drv")}'.
       Reason: 2 dependencies failed.
END
exit 100 ;;
--check-validity) printf '%s\\n' ${makeStorePath("web1")} ${makeStorePath("db")} ;;
--query) printf '%s\\n' ${makeStorePath("bash.drv")} "$3"; case $3 in *-db.drv) echo ${makeStorePath("openssl.drv")} ;; esac ;;
esac`;
    const failed = await withProgram(directory, "nix-store", script, async () => await buildSystems(systems, options));
    expect([...failed.keys()]).toEqual(["web1", "db"]);
    const text = (name: string): string => {
      const one = failed.get(name);
      if (one === undefined) throw new Error(`${name} has built`);
      return renderFailure(buildFailure(name, one, elsewhere));
    };
    expect(text("web1"))
      .toBe(`the system of web1 does not build on the runner (exit code 100): bash: builder failed with exit code 3; 1 other derivation depends on it and could not be built. The end of the build's log is below; the command under it shows all of it on the runner. Nothing has changed on the machine
  > no disk of cheese
  nix log ${makeStorePath("bash.drv")}`);
    expect(text("db")).toContain("2 derivations failed: bash, openssl");
    expect(text("db")).toContain("> no key of chalk");
  });

  test("that is stopped is not a failure of the systems", async () => {
    const controller = new AbortController();
    const stopped = withProgram(directory, "nix-store", "sleep 20", async () => {
      const build = buildSystems(systems, { ...options, signal: controller.signal });
      controller.abort();
      return await rejection(CommandError, build);
    });
    expect((await stopped).failure.kind).toBe("aborted");
  });

  test.each([
    ["> cp: No space left on device", "no space is left on the runner to build web1"],
    ["", "the system of web1 does not build on the runner (exit code 1)"],
  ])("%j is %s", (line, reason) => {
    expect(buildFailure("web1", { exitCode: 1, failures: { failed: [], more: 0, dependents: 0 }, lines: [line] }, elsewhere).reason).toBe(reason);
  });

  test("whose builder was killed for its memory says what to do", () => {
    const failed = [{ path: makeStorePath("bash.drv"), reason: "builder failed due to signal 9 (Killed)", log: [] }];
    expect(buildFailure("web1", { exitCode: 1, failures: { failed, more: 0, dependents: 0 }, lines: [] }, elsewhere).hint).toContain(`or ${elsewhere}`);
  });
});

describe("a system that the runner does not have", () => {
  test("is refused for another platform, with both alternatives", () => {
    const known = new Set(["x86_64-linux", "i686-linux"]);
    expect(platformFailure("pi", "x86_64-linux", known, elsewhere)).toBeUndefined();
    expect(platformFailure("pi", undefined, known, elsewhere)).toBeUndefined();
    expect(platformFailure("pi", "aarch64-linux", undefined, elsewhere)).toBeUndefined();
    const failure = platformFailure("pi", "aarch64-linux", known, elsewhere);
    expect(failure?.reason).toBe("the system of pi is for aarch64-linux, which the runner cannot build for; it builds for x86_64-linux, i686-linux");
    expect(failure?.hint).toMatch(/^Give the runner a builder for aarch64-linux .*, or build it there$/);
  });

  test("does not evaluate, or is not in the flake", () => {
    expect(evaluationFailure("web1", { kind: "missing", configurations: [] }).reason).toBe("the flake has no nixosConfigurations.web1; it has none");
    expect(evaluationFailure("colmenaHive.nodes.web1", { kind: "missing", configurations: ["a"] }).reason).toBe(
      "the flake has no colmenaHive.nodes.web1; it has a",
    );
    expect(evaluationFailure("web1", { kind: "broken", lines: ["error: x"], together: 3 })).toMatchObject({
      phase: "build",
      reason: "one of 3 configurations, web1 or another, does not evaluate on the runner",
      lines: ["error: x"],
    });
  });
});
