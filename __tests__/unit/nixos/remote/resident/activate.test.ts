import { spawnSync } from "node:child_process";
import { chownSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";

import { beforeEach, describe, expect, test } from "@jest/globals";

import { residentScript, type ScriptName } from "../../../../../src/nixos/script-files.js";
import { program } from "../../../../../src/nixos/script-program.js";
import { temporaryDirectory } from "../../../temporary.js";

// What activates a system on the machine, without a machine: systems and programs that write down how they were called.
const directory = temporaryDirectory();
const run = join(directory, "run");
const calls = join(directory, "calls");
const programs = join(directory, "programs");
const profile = join(directory, "profile");
const isRoot = userInfo().uid === 0;

function script(path: string, text: string): void {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}

/** A system whose switch-to-configuration does this. */
function system(name: string, text = "exit 0"): string {
  const path = join(directory, name);
  script(join(path, "bin/switch-to-configuration"), `echo "${name} $1" >>${calls}\n${text}`);
  return path;
}

const called = (): string[] => (existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : []);

/** What systemctl says of services, and of the units that are failed or about to be restarted. */
function services(facts: { readonly shown?: Readonly<Record<string, number>>; readonly failed?: readonly string[]; readonly status?: number }): void {
  const shown = Object.entries(facts.shown ?? {}).map(([unit, number]) => `NRestarts=${number}\nExecMainStartTimestampMonotonic=0\nId=${unit}\n`);
  writeFileSync(join(directory, "shown"), shown.join("\n"));
  writeFileSync(join(directory, "failed"), (facts.failed ?? []).map((line) => `${line}\n`).join(""));
  script(
    join(programs, "systemctl"),
    `case "$*" in
  *" *.service") cat ${directory}/shown ;;
  *list-units*--state=failed*) cat ${directory}/failed ;;
  *ExecMainStatus*) echo ExecMainStatus=${facts.status ?? 1} ;;
esac`,
  );
}

beforeEach(() => {
  for (const path of [run, calls]) rmSync(path, { recursive: true, force: true });
  mkdirSync(run);
  for (const name of ["switch", "activate"] as const) writeFileSync(join(run, `${name}.sh`), residentScript(name));
  script(join(programs, "nix-env"), `echo "nix-env $*" >>${calls}`);
  services({});
});

describe.each(["dash", "bash"])("under %s", (shell) => {
  const env = { PATH: `${programs}:${process.env["PATH"]}` };
  const call = (name: "switch" | "activate", args: readonly string[], more: Readonly<Record<string, string>> = {}) => {
    const { status, stdout } = spawnSync(shell, [`./${name}.sh`, ...args], { cwd: run, encoding: "utf8", env: { ...env, ...more }, timeout: 30_000 });
    return { status, stdout };
  };

  describe("switch.sh", () => {
    test("runs switch-to-configuration from /, as nixos-rebuild does, and ends with its exit code", () => {
      const shows = 'echo "$PWD $NIXOS_INSTALL_BOOTLOADER $LOCALE_ARCHIVE ${https_proxy-none} ${_NIXOS_REBUILD_REEXEC-none}"; exit 4';
      const more = { LOCALE_ARCHIVE: "/locales", https_proxy: "http://proxy", _NIXOS_REBUILD_REEXEC: "1" };
      expect(call("switch", [system("web", shows), "test"], more)).toEqual({ status: 4, stdout: "/ 0 /locales none none\n" });
      expect(call("switch", [system("web", shows), "test"], { ...more, NIXOS_INSTALL_BOOTLOADER: "1" }).stdout).toBe("/ 1 /locales none none\n");
      expect(called()).toEqual(["web test", "web test"]);
    });

    const leaves = "echo 'Error: Failed to get GID for alice' >&2; exit 1";
    const notice = "nix-flake-deploy: a user logged out during the switch; running switch-to-configuration again\n";
    const toFile = (text: string) => {
      const log = join(directory, "switch.log");
      rmSync(log, { force: true });
      const file = openSync(log, "a");
      const { status } = spawnSync(shell, ["./switch.sh", system("web", text), "test"], { cwd: run, env, stdio: ["ignore", file, file], timeout: 30_000 });
      closeSync(file);
      return { status, log: readFileSync(log, "utf8") };
    };

    test("runs it again after a user has logged out in the middle", () => {
      rmSync(join(directory, "again"), { force: true });
      const error = "Error: Failed to get GID for alice\n";
      expect(toFile(`[ -e ${directory}/again ] || { touch ${directory}/again; ${leaves}; }`)).toEqual({ status: 0, log: `${error}${notice}` });
      expect(called()).toEqual(["web test", "web test"]);
    });

    test("gives up after three times, and not for another failure that ends the same way", () => {
      expect(toFile(leaves).status).toBe(1);
      expect(called()).toHaveLength(3);
      rmSync(calls);
      expect(toFile("echo 'Error: Failed to get system bus connection' >&2; exit 1").status).toBe(1);
      expect(toFile("echo 'Error: Failed to get GID for alice' >&2; exit 4").status).toBe(4);
      expect(called()).toHaveLength(2);
    });

    const part = (variable: string): string => `env ${variable}=1 sleep 4 & wait $! || echo ended; exit 0`;

    test("ends the part of a user that takes too long", () => {
      const { stdout } = call("switch", [system("slow", part("__NIXOS_SWITCH_TO_CONFIGURATION_PARENT_EXE")), "test", "1"]);
      expect(stdout.split("\n").toSorted()).toEqual([
        "",
        "ended",
        `nix-flake-deploy: the user activation for ${userInfo().username} timed out after 1 s and was terminated`,
      ]);
    });

    test("lets what root does itself take its time", () => {
      // Without root, every child is one of a user.
      const { status, stdout } = call("switch", [system("slow", part("OTHER")), "test", "1"]);
      expect({ status, ended: stdout.includes("was ended") }).toEqual({ status: 0, ended: !isRoot });
    });
  });

  describe("activate.sh", () => {
    const activate = (...args: readonly string[]) => call("activate", [...args, "0", profile]);

    test.each([
      ["switch", "", (top: string) => [`nix-env --profile ${profile} --set ${top}`, "top switch"]],
      ["boot", "", (top: string) => [`nix-env --profile ${profile} --set ${top}`, "top boot"]],
      ["test", "", () => ["top test"]],
      ["dry-activate", "", () => ["top dry-activate"]],
      // A rollback makes no new generation.
      ["switch", "5", () => [`nix-env --profile ${profile} --switch-generation 5`, "top switch"]],
    ])("%s with the generation %j", (action, generation, expected) => {
      const top = system("top");
      expect(activate(action, top, top, generation).status).toBe(0);
      expect(called()).toEqual(expected(top));
    });

    test("sets profile and boot loader to the system, and runs its specialisation", () => {
      const top = system("top");
      expect(activate("switch", top, system("special"), "").status).toBe(0);
      expect(called()).toEqual([`nix-env --profile ${profile} --set ${top}`, "top boot", "special test"]);
      rmSync(calls);
      activate("test", top, join(directory, "special"), "");
      expect(called()).toEqual(["special test"]);
    });

    test("does not run the specialisation where the boot loader failed", () => {
      const top = system("top", "exit 1");
      expect(activate("switch", top, system("special"), "").status).toBe(1);
      expect(called()).toEqual([`nix-env --profile ${profile} --set ${top}`, "top boot"]);
    });

    test("activates nothing where the profile cannot be set, and says so", () => {
      script(join(programs, "nix-env"), "echo 'error: no'; exit 3");
      const top = system("top");
      expect(activate("switch", top, top, "")).toEqual({ status: 1, stdout: "error: no\nnix-flake-deploy: the system profile could not be set\n" });
      expect(called()).toEqual([]);
    });

    test("says which user's own activation failed, and asks no user where none was run", () => {
      script(join(programs, "setpriv"), 'echo "$XDG_RUNTIME_DIR" >>' + calls + "; echo ActiveState=failed");
      const { username, uid } = userInfo();
      const top = system("top");
      // As job.sh does, which keeps what is printed.
      const ran = (line: string): string => {
        writeFileSync(join(run, "activate.log"), `reloading user units for ${username}...\n${line}\n`);
        return activate("test", top, top, "").stdout;
      };
      expect(ran("restarting the following user units: nixos-activation.service")).toContain(
        `nix-flake-deploy: nixos-activation.service of ${username} failed\n`,
      );
      expect(called()).toEqual(["top test", `/run/user/${uid}`]);
      expect(ran("restarting sysinit-reactivation.target")).not.toContain("nix-flake-deploy");
      rmSync(join(programs, "setpriv"));
    });

    test("writes down how often each service was restarted once units were started, also where it failed", () => {
      services({ shown: { "a.service": 0, "b@x.service": 3 } });
      const top = system("top", "exit 4");
      // Nothing was started that could fail.
      writeFileSync(join(run, "activate.log"), "stopping the following units: c.service\n");
      expect(activate("test", top, top, "").status).toBe(4);
      expect(existsSync(join(run, "activate.restarts"))).toBe(false);
      for (const line of ["starting the following units:", "restarting the following units:", "the following new units were started:"]) {
        rmSync(join(run, "activate.restarts"), { force: true });
        writeFileSync(join(run, "activate.log"), `${line} a.service\n`);
        expect(activate("test", top, top, "").status).toBe(4);
        expect(readFileSync(join(run, "activate.restarts"), "utf8")).toBe("a.service 0\nb@x.service 3\n");
      }
      const now = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) * 100;
      const ended = Number(readFileSync(join(run, "activate.ended"), "utf8"));
      expect(ended).toBeLessThanOrEqual(now);
      expect(ended).toBeGreaterThan(now - 60_00);
    });
  });

  describe("the units that count as failed", () => {
    const nonce = "0123456789abcdef";
    const user = isRoot ? 65_534 : userInfo().uid;
    // A directory of the user's own, as the system has it: no other one is trusted.
    const runtime = join(directory, "runtime");
    const base = join(runtime, `nix-flake-deploy-${user}`);
    const scriptOf = (name: ScriptName, args: readonly string[]): { facts: string[]; code: number | null } => {
      const drop = ["--reuid=65534", "--regid=65534", "--clear-groups", shell, "-s"];
      const [file, rest] = isRoot ? ["setpriv", drop] : [shell, ["-s"]];
      const { stdout, status } = spawnSync(file, rest, {
        input: program(name, args, nonce),
        encoding: "utf8",
        env: { ...env, XDG_RUNTIME_DIR: runtime },
        timeout: 30_000,
      });
      return { facts: stdout.split("\n").filter((line) => line.startsWith("failed-units=")), code: status };
    };

    beforeEach(() => {
      rmSync(base, { recursive: true, force: true });
      mkdirSync(join(base, "run1"), { recursive: true });
      for (const [name, text] of Object.entries({ armed: "", "activate.restarts": "a.service 0\nb.service 2\n", "activate.ended": "0\n" })) {
        writeFileSync(join(base, "run1", name), text);
      }
      spawnSync("chmod", ["-R", "a+rwX", directory]);
      if (isRoot) chownSync(runtime, user, user);
    });

    const listed = (unit: string, state: string): string => `${unit} loaded ${state} text`;

    test("are failed ones, and those about to be restarted after an error, but none of users and of the action", () => {
      const failed = ["web.service", "user@1000.service", "user-runtime-dir@1000.service", "session-3.scope", "nix-flake-deploy-x-build.service"].map((unit) =>
        listed(unit, "failed failed"),
      );
      services({ failed: [...failed, listed("loop.service", "activating auto-restart")] });
      expect(scriptOf("facts", []).facts).toEqual(["failed-units=web.service loop.service "]);
      services({ failed: [listed("loop.service", "activating auto-restart")], status: 0 });
      expect(scriptOf("facts", []).facts).toEqual(["failed-units="]);
    });

    test("are after the settle time also those that were restarted in it", () => {
      services({ shown: { "a.service": 1, "b.service": 2, "new.service": 1, "calm.service": 0, "user@0.service": 4 } });
      expect(scriptOf("settle", ["run1", "1"])).toEqual({ facts: ["failed-units=a.service new.service "], code: 0 });
    });

    test("are after the settle time those that were restarted since its begin where no unit was started before", () => {
      rmSync(join(base, "run1", "activate.restarts"));
      services({ shown: { "a.service": 1, "b.service": 2 } });
      expect(scriptOf("settle", ["run1", "1"])).toEqual({ facts: ["failed-units="], code: 0 });
    });

    test("are not looked at before the settle time is over, to the hundredth of a second", () => {
      const uptime = (): number => Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]?.replace(".", ""));
      const ended = uptime();
      writeFileSync(join(base, "run1", "activate.ended"), `${ended}\n`);
      services({ shown: {} });
      expect(scriptOf("settle", ["run1", "1"])).toEqual({ facts: ["failed-units="], code: 0 });
      expect(uptime() - ended).toBeGreaterThanOrEqual(100);
    });

    test("are not waited for where the machine has rolled back, or knows no run", () => {
      writeFileSync(join(base, "run1", "activate.ended"), "99999999999\n");
      spawnSync("ln", ["-s", "back", join(base, "run1", "decision")]);
      expect(scriptOf("settle", ["run1", "1"]).code).toBe(7);
      expect(scriptOf("settle", ["run2", "1"]).code).toBe(3);
      // Nor is the watchdog given more time then.
      expect(scriptOf("decide", ["run1", "hold", "5"]).code).toBe(7);
    });
  });
});
