import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { beforeEach, describe, expect, test } from "@jest/globals";

import { residentScript } from "../../../../../src/nixos/script-files.js";
import { temporaryDirectory } from "../../../temporary.js";

// The machine's own rollback, without a machine: systems whose switch-to-configuration writes down how it was called.
const directory = temporaryDirectory();
const run = join(directory, "run");
const profiles = join(directory, "profiles");
const calls = join(directory, "calls");

// In place of systemd: writes down the timers that are started, and knows them again.
const programs = join(directory, "programs");
const started = join(directory, "started");
mkdirSync(programs);
writeFileSync(join(programs, "systemd-run"), `#!/bin/sh\necho "$*" >>${started}\n`, { mode: 0o755 });
writeFileSync(
  join(programs, "systemctl"),
  `#!/bin/sh\ncase $1 in stop) echo "stop $*" >>${started} ;; is-active) grep -qs -e "--unit=$(basename "$3" .service) " ${started} ;; esac\n`,
  { mode: 0o755 },
);

function system(name: string, code = 0): string {
  const path = join(directory, name);
  mkdirSync(join(path, "bin"), { recursive: true });
  writeFileSync(join(path, "bin/switch-to-configuration"), `#!/bin/sh\necho "${name} $1" >>${calls}\nexit ${code}\n`, { mode: 0o755 });
  return path;
}

function record(facts: { kind?: string; link?: string; profile?: string; running?: string; now?: string }): void {
  const current = join(directory, "current-system");
  rmSync(current, { force: true });
  symlinkSync(facts.now ?? system("new"), current);
  const step = { record: join(directory, "state/last-step"), limit: "60", generation: "", "install-bootloader": "0" };
  const files = { ...step, run: "abc", kind: facts.kind ?? "switch", profile: join(profiles, "system"), current, lock: join(directory, "no-lock") };
  const previous = {
    begun: "",
    "new-running": system("new"),
    "new-toplevel": system("new"),
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
    "last.sh": residentScript("last"),
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
  const unit = (name: string, words: string): string =>
    `--quiet --unit=nix-flake-deploy-abc-${name} --service-type=exec -- /bin/sh ${run}/watchdog.sh ${words}`;
  const timers = (): string[] => (existsSync(started) ? readFileSync(started, "utf8").trim().split("\n") : []);

  test("activates the old system, once, and touches neither profile nor boot loader", () => {
    record({});
    expect(call("fire", "confirm")).toBe(0);
    expect(profile()).toBe("system-2-link");
    expect(called()).toEqual(["old test"]);
    expect(readFileSync(join(run, "rollback.status"), "utf8").trim()).toBe("0");
    expect(call("fire", "confirm")).toBe(0);
    expect(call("back")).toBe(0);
    expect(called()).toEqual(["old test"]);
    expect(call("keep")).toBe(7);
  });

  test("does nothing once the new system was decided for, or nothing at all", () => {
    for (const [words, other] of [
      ["keep", "drop"],
      ["drop", "keep"],
    ] as const) {
      record({ kind: "test" });
      expect(call(words)).toBe(0);
      expect(call(words)).toBe(0);
      expect(call("fire", "confirm")).toBe(0);
      expect(call("back")).toBe(7);
      expect(call(other)).toBe(7);
      expect(called()).toEqual([]);
      rmSync(run, { recursive: true });
      mkdirSync(run);
    }
  });

  describe("a system that is kept", () => {
    const job = `--quiet --unit=nix-flake-deploy-abc-last --service-type=exec --property=WorkingDirectory=${run} -- /bin/sh ${run}/watchdog.sh last`;
    const stop =
      "stop stop nix-flake-deploy-abc-activation-timer* nix-flake-deploy-abc-confirm-timer* nix-flake-deploy-abc-login-timer* nix-flake-deploy-abc-health-timer*";

    test.each(["switch", "boot"])("has its last step started in a unit, once, which stops the timers (%s)", (kind) => {
      record({ kind });
      expect(call("keep")).toBe(0);
      expect(timers()).toEqual([job]);
      expect(call("keep")).toBe(0);
      expect(timers()).toEqual([job]);
      expect(readFileSync(join(run, "last.log"), "utf8")).toBe("");
      expect(call("last")).toBe(0);
      expect(timers()).toEqual([job, stop]);
      expect(existsSync(join(run, "last.status"))).toBe(true);
    });

    test.each(["test", "plain"])("needs no last step where nothing is left to set (%s)", (kind) => {
      record({ kind });
      expect(call("keep")).toBe(0);
      expect(timers()).toEqual([stop]);
    });

    test("has its last step done by the next timer where no unit did it", () => {
      record({ kind: "boot" });
      symlinkSync("keep", join(run, "decision"));
      expect(call("fire", "health")).toBe(0);
      expect(readFileSync(join(run, "last.status"), "utf8").trim()).toBe("0");
      expect(existsSync(join(run, "rollback.log"))).toBe(false);
    });

    test("keeps its timers where the unit cannot be started, and does the step anyway", () => {
      record({ kind: "boot" });
      const broken = join(directory, "no-units");
      mkdirSync(broken, { recursive: true });
      writeFileSync(join(broken, "systemd-run"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
      const wait = `/bin/sh -c '${shell} ${run}/watchdog.sh keep; code=$?; for n in 1 2 3 4 5 6 7 8 9 10; do [ -e ${run}/last.status ] && break; sleep 0.2; done; exit $code'`;
      const { status } = spawnSync(shell, ["-c", wait], { env: { ...env, PATH: `${broken}:${env.PATH}` } });
      expect(status).toBe(0);
      expect(readFileSync(join(run, "last.status"), "utf8").trim()).toBe("0");
    });
  });

  test("rolls nothing back where nothing was activated", () => {
    record({});
    rmSync(join(run, "begun"));
    expect(call("fire", "activation")).toBe(0);
    expect(called()).toEqual([]);
    expect(readFileSync(join(run, "rollback.status"), "utf8").trim()).toBe("0");
  });

  test("rolls back although the old system seems to run: a killed activation may have replaced /etc", () => {
    record({ now: system("old") });
    expect(call("back")).toBe(0);
    expect(called()).toEqual(["old test"]);
  });

  test("changes nothing where someone else has switched the machine", () => {
    record({ now: system("third") });
    expect(call("fire", "confirm")).toBe(0);
    expect(called()).toEqual([]);
    expect(readFileSync(join(run, "rollback.status"), "utf8").trim()).toBe("9");
    expect(readFileSync(join(run, "rollback.log"), "utf8")).toContain(
      `the machine runs ${join(directory, "third")}, which is neither the old nor the new system`,
    );
  });

  test("waits for the confirmation of an activation that has ended just before its time was up", () => {
    record({});
    writeFileSync(join(run, "activate.status"), "0\n");
    writeFileSync(join(run, "activate.window"), "30");
    expect(call("fire", "activation")).toBe(0);
    expect(called()).toEqual([]);
    expect(timers()).toEqual([unit("confirm-timer", "wait confirm 30")]);
    rmSync(join(run, "activate.status"));
    expect(call("fire", "activation")).toBe(0);
    expect(called()).toEqual(["old test"]);
  });

  test.each([
    [4, "4"],
    [2, "2"],
  ])("reports that the switch to the old system exited with %i", (code, status) => {
    record({ profile: system(`code${code}`, code), running: system(`code${code}`, code) });
    call("back");
    expect(readFileSync(join(run, "rollback.status"), "utf8").trim()).toBe(status);
    expect(readFileSync(join(run, "rollback.log"), "utf8")).toMatch(/^rolling back: .*\/bin\/switch-to-configuration test$/m);
  });

  test("waits in a unit of its own, and then starts another that acts", () => {
    record({});
    expect(call("arm", "confirm", "30")).toBe(0);
    expect(call("wait", "confirm", "0")).toBe(0);
    expect(timers()).toEqual([unit("confirm-timer", "wait confirm 30"), unit("confirm", "fire confirm")]);
    expect(called()).toEqual([]);
  });

  test("waits for the end of the activation, and from then on for the confirmation", async () => {
    record({});
    writeFileSync(join(run, "activate.window"), "0");
    const waiting = spawn(shell, [join(run, "watchdog.sh"), "wait", "activation", "60"], { env });
    const ended = once(waiting, "exit");
    const job = spawn(shell, [join(run, "job.sh"), "activate", "sh", "-c", "sleep 1"], { env, cwd: run });
    await once(job, "exit");
    expect(await ended).toEqual([0, null]);
    expect(readFileSync(join(run, "activation.pid"), "utf8")).toBe(`${waiting.pid}\n`);
    expect(timers()).toEqual([unit("confirm", "fire confirm")]);
  });

  test("waits no longer for an activation than it may take, also for one that does not begin", () => {
    record({});
    expect(call("wait", "activation", "1")).toBe(0);
    expect(timers()).toEqual([unit("activation", "fire activation")]);
  });

  test("gets another timer where an activation ends whose timer was killed", () => {
    for (const [pid, expected] of [
      [undefined, [unit("confirm-timer", "wait confirm 30")]],
      ["999999999", [unit("confirm-timer", "wait confirm 30")]],
      [String(process.pid), []],
    ] as const) {
      for (const file of [started, join(run, "activate.status"), join(run, "activation.pid")]) rmSync(file, { force: true });
      record({});
      writeFileSync(join(run, "activate.window"), "30");
      if (pid !== undefined) writeFileSync(join(run, "activation.pid"), pid);
      expect(spawnSync(shell, [join(run, "job.sh"), "activate", "true"], { env, cwd: run }).status).toBe(0);
      expect(timers()).toEqual(expected);
    }
  });

  test("has a timer that was started before its answer was lost", () => {
    record({});
    const broken = join(directory, "refuses");
    mkdirSync(broken, { recursive: true });
    writeFileSync(join(broken, "systemd-run"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    const arm = (): number | null =>
      spawnSync(shell, [join(run, "watchdog.sh"), "arm", "activation", "60"], { env: { ...env, PATH: `${broken}:${env.PATH}` } }).status;
    expect(arm()).toBe(1);
    writeFileSync(started, `${unit("activation-timer", "wait activation 60")}\n`);
    expect(arm()).toBe(0);
  });

  test("acts where it waited when no other unit can be started", () => {
    record({});
    const broken = join(directory, "broken");
    mkdirSync(broken, { recursive: true });
    writeFileSync(join(broken, "systemd-run"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    const { status } = spawnSync(shell, [join(run, "watchdog.sh"), "wait", "confirm", "0"], { env: { ...env, PATH: `${broken}:${env.PATH}` } });
    expect(status).toBe(0);
    expect(called()).toEqual(["old test"]);
  });

  test.each(["run", "kind", "new-running", "previous-link", "previous-profile", "previous-running"])("does nothing without %s, as after a reboot", (file) => {
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
    expect(called()).toEqual(["old test"]);
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
