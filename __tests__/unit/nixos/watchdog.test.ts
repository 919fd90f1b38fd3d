import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { beforeEach, describe, expect, test } from "@jest/globals";

import { residentScript } from "../../../src/nixos/remote-shell.js";
import { temporaryDirectory } from "../temporary.js";

// The machine's own way back, without a machine: systems whose switch-to-configuration writes down how it was called.
const directory = temporaryDirectory();
const run = join(directory, "run");
const profiles = join(directory, "profiles");
const calls = join(directory, "calls");

// In place of systemd: writes down the timers that are started, and knows them again.
const programs = join(directory, "programs");
const started = join(directory, "started");
mkdirSync(programs);
writeFileSync(join(programs, "systemd-run"), `#!/bin/sh\necho "$*" >>${started}\n`, { mode: 0o755 });
writeFileSync(join(programs, "systemctl"), `#!/bin/sh\n[ "$1" = is-active ] && grep -qs -e "--unit=$(basename "$3" .service) " ${started}\n`, { mode: 0o755 });

function system(name: string, code = 0): string {
  const path = join(directory, name);
  mkdirSync(join(path, "bin"), { recursive: true });
  writeFileSync(join(path, "bin/switch-to-configuration"), `#!/bin/sh\necho "${name} $1" >>${calls}\nexit ${code}\n`, { mode: 0o755 });
  return path;
}

function record(facts: { operation?: string; link?: string; profile?: string; running?: string }): void {
  const files = { run: "abc", operation: facts.operation ?? "switch", profile: join(profiles, "system") };
  const previous = {
    "previous-link": facts.link ?? "system-1-link",
    "previous-profile": facts.profile ?? system("old"),
    "previous-running": facts.running ?? system("old"),
  };
  for (const [name, text] of Object.entries({
    ...files,
    ...previous,
    "job.sh": residentScript("job"),
    "watchdog.sh": residentScript("watchdog"),
    "switch.sh": residentScript("switch"),
  })) {
    writeFileSync(join(run, name), text);
  }
}

const called = (): string[] => (existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : []);

function profile(): string | undefined {
  try {
    return readlinkSync(join(profiles, "system"));
  } catch {
    return undefined;
  }
}

beforeEach(() => {
  for (const path of [run, profiles, calls, started]) rmSync(path, { recursive: true, force: true });
  mkdirSync(run);
  mkdirSync(profiles);
  symlinkSync("system-2-link", join(profiles, "system"));
});

describe.each(["dash", "bash"])("the watchdog under %s", (shell) => {
  const env = { ...process.env, PATH: `${programs}:${process.env["PATH"]}` };
  const call = (...args: string[]): number | null => spawnSync(shell, [join(run, "watchdog.sh"), ...args], { encoding: "utf8", env }).status;
  const timers = (): string[] => (existsSync(started) ? readFileSync(started, "utf8").trim().split("\n") : []);

  test("puts profile and system back, once", () => {
    record({});
    expect(call("fire", "confirm")).toBe(0);
    expect(profile()).toBe("system-1-link");
    expect(called()).toEqual(["old switch"]);
    expect(readFileSync(join(run, "rollback.status"), "utf8")).toBe("0\n");
    expect(call("fire", "confirm")).toBe(0);
    expect(call("back")).toBe(0);
    expect(called()).toEqual(["old switch"]);
    expect(call("keep")).toBe(7);
  });

  test("does nothing once the new system was decided for", () => {
    record({});
    expect(call("keep")).toBe(0);
    expect(call("keep")).toBe(0);
    expect(call("fire", "confirm")).toBe(0);
    expect(call("back")).toBe(7);
    expect(profile()).toBe("system-2-link");
    expect(called()).toEqual([]);
  });

  test("leaves an activation that has ended to the timer of the confirmation", () => {
    record({});
    writeFileSync(join(run, "activate.status"), "0\n");
    expect(call("fire", "activation")).toBe(0);
    expect(called()).toEqual([]);
    rmSync(join(run, "activate.status"));
    expect(call("fire", "activation")).toBe(0);
    expect(called()).toEqual(["old switch"]);
  });

  test.each([
    ["switch", { link: "", profile: "" }, undefined, ["old switch"]],
    ["switch", { profile: "staged" }, "system-1-link", ["staged boot", "old test"]],
    ["boot", {}, "system-1-link", ["old boot"]],
    ["boot", { link: "", profile: "" }, undefined, ["old boot"]],
    ["test", {}, "system-2-link", ["old test"]],
  ] as const)("after %s with %j before", (operation, { profile: before, ...facts }: { link?: string; profile?: string }, pointsTo, expected) => {
    record({ operation, ...facts, ...(before === undefined ? {} : { profile: before === "" ? "" : system(before) }) });
    call("back");
    expect(profile()).toBe(pointsTo);
    expect(called()).toEqual(expected);
  });

  test.each([
    [4, "4"],
    [2, "2"],
  ])("tells that the old system's switch ended with %i", (code, status) => {
    record({ profile: system(`code${code}`, code), running: system(`code${code}`, code) });
    call("back");
    expect(readFileSync(join(run, "rollback.status"), "utf8")).toBe(`${status}\n`);
    expect(readFileSync(join(run, "rollback.log"), "utf8")).toContain("the system profile is system-1-link again");
  });

  test("waits in a unit of its own, and then starts another that acts", () => {
    record({});
    const unit = (name: string, words: string): string =>
      `--quiet --unit=nix-flake-deploy-abc-${name} --service-type=exec -- /bin/sh ${run}/watchdog.sh ${words}`;
    expect(call("arm", "confirm", "30")).toBe(0);
    expect(call("wait", "confirm", "0")).toBe(0);
    expect(timers()).toEqual([unit("confirm-timer", "wait confirm 30"), unit("confirm", "fire confirm")]);
    expect(called()).toEqual([]);
  });

  test("acts where it waited when no other unit can be started", () => {
    record({});
    const broken = join(directory, "broken");
    mkdirSync(broken, { recursive: true });
    writeFileSync(join(broken, "systemd-run"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    const { status } = spawnSync(shell, [join(run, "watchdog.sh"), "wait", "confirm", "0"], { env: { ...env, PATH: `${broken}:${env.PATH}` } });
    expect(status).toBe(0);
    expect(called()).toEqual(["old switch"]);
  });

  describe("a way back that nobody asks about", () => {
    const timer = `--quiet --unit=nix-flake-deploy-abc-clear-timer --service-type=exec -- /bin/sh ${run}/watchdog.sh wait clear 1500`;

    test.each([0, 4])("is cleared away some time after it ended with %i, however often it is run", (code) => {
      record({ profile: system(`code${code}`, code), running: system(`code${code}`, code) });
      writeFileSync(join(run, "clear.window"), "1500");
      expect(call("fire", "confirm")).toBe(0);
      expect(timers()).toEqual([timer]);
      expect(call("back")).toBe(0);
      expect(timers()).toEqual([timer]);
    });

    test("stays where it has failed: its log is needed", () => {
      record({ profile: system("code2", 2), running: system("code2", 2) });
      writeFileSync(join(run, "clear.window"), "1500");
      call("fire", "confirm");
      expect(timers()).toEqual([]);
      expect(existsSync(join(run, "rollback.log"))).toBe(true);
    });

    test("shows the logs, for the journal, before it removes them", () => {
      record({});
      writeFileSync(join(run, "clear.window"), "1500");
      writeFileSync(join(run, "activate.log"), "activating the configuration...\n");
      writeFileSync(join(run, "finish.sh"), `rm -r ${run}\n`);
      call("fire", "confirm");
      const { status, stdout } = spawnSync(shell, [join(run, "watchdog.sh"), "fire", "clear"], { encoding: "utf8", env });
      expect(status).toBe(0);
      expect(stdout).toMatch(/nobody has asked[^]*activating the configuration[^]*the system profile is system-1-link again/);
      expect(existsSync(run)).toBe(false);
    });
  });

  test.each(["run", "operation", "previous-link", "previous-profile", "previous-running"])("does nothing without %s, as after a reboot", (file) => {
    record({});
    rmSync(join(run, file));
    for (const words of [["fire", "confirm"], ["back"], ["keep"], ["restore"]]) expect(call(...words)).toBe(1);
    expect(profile()).toBe("system-2-link");
    expect(called()).toEqual([]);
    expect(existsSync(join(run, "decision"))).toBe(false);
  });

  test("begins again where it was killed in the middle", () => {
    record({});
    symlinkSync("back", join(run, "decision"));
    expect(call("fire", "confirm")).toBe(0);
    expect(called()).toEqual(["old switch"]);
  });

  test("has no effect without its directory, as after a reboot", () => {
    record({});
    const script = join(directory, "left.sh");
    writeFileSync(script, residentScript("watchdog"));
    rmSync(run, { recursive: true });
    expect(spawnSync(shell, [join(run, "watchdog.sh"), "fire", "confirm"]).status).not.toBe(0);
    expect(called()).toEqual([]);
    mkdirSync(run);
  });
});
