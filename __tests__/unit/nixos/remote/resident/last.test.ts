import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { beforeEach, describe, expect, test } from "@jest/globals";

import { residentScript } from "../../../../../src/nixos/script-files.js";
import { temporaryDirectory } from "../../../temporary.js";

// The last step, without a machine: systems that write down how they were called, and a nix-env that makes generations.
const directory = temporaryDirectory();
const run = join(directory, "run");
const profiles = join(directory, "profiles");
const profile = join(profiles, "system");
const calls = join(directory, "calls");
const programs = join(directory, "programs");
const current = join(directory, "current-system");
const record = join(directory, "state/last-step");

function script(path: string, text: string): void {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}

/** A system whose switch-to-configuration does this for an action. */
function system(name: string, does: Readonly<Record<string, string>> = {}): string {
  const path = join(directory, name);
  const cases = Object.entries(does).map(([action, text]) => `${action}) ${text} ;;`);
  script(
    join(path, "bin/switch-to-configuration"),
    `echo "${name} $1 check=\${NIXOS_NO_CHECK-} install=$NIXOS_INSTALL_BOOTLOADER" >>${calls}\ncase $1 in ${cases.join(" ")} esac`,
  );
  return path;
}

const called = (): string[] => (existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : []);
const link = (path: string): string | undefined => {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
};
const point = (target: string, path: string): void => {
  rmSync(path, { force: true });
  symlinkSync(target, path);
};

/** A machine that runs the confirmed new system; the old one is generation 1. */
function machine(facts: Readonly<Record<string, string>> = {}): void {
  point(system("new"), current);
  symlinkSync(system("old"), `${profile}-1-link`);
  symlinkSync("system-1-link", profile);
  const files = {
    run: "abc",
    kind: "switch",
    profile,
    current,
    record,
    limit: "20",
    generation: "",
    "install-bootloader": "0",
    "new-toplevel": join(directory, "new"),
    "new-running": join(directory, "new"),
    "previous-link": "system-1-link",
    "previous-profile": join(directory, "old"),
    "previous-running": join(directory, "old"),
  };
  for (const [name, text] of Object.entries({ ...files, ...facts })) writeFileSync(join(run, name), text);
  for (const name of ["switch", "last"] as const) writeFileSync(join(run, `${name}.sh`), residentScript(name));
}

beforeEach(() => {
  for (const path of [run, profiles, calls, join(directory, "state")]) rmSync(path, { recursive: true, force: true });
  mkdirSync(run);
  mkdirSync(profiles);
  // As nix-env: the generation after the highest one, unless that is it already.
  script(
    join(programs, "nix-env"),
    `echo "nix-env $3 $4" | sed 's|${directory}/||' >>${calls}
if [ "$3" = --switch-generation ]; then ln -sfn "system-$4-link" "$2"; exit; fi
n=1; while [ -L "$2-$((n + 1))-link" ]; do n=$((n + 1)); done
[ "$(readlink -f "$2-$n-link")" = "$4" ] || { n=$((n + 1)); ln -s "$4" "$2-$n-link"; }
ln -sfn "$(basename "$2")-$n-link" "$2"`,
  );
});

describe.each(["dash", "bash"])("last.sh under %s", (shell) => {
  const env = { ...process.env, PATH: `${programs}:${process.env["PATH"]}` };
  const call = (...args: string[]) => {
    const { status, stdout } = spawnSync(shell, [join(run, "last.sh"), ...args], { encoding: "utf8", env, timeout: 60_000 });
    return { status, stdout };
  };
  const words = (name: string, action: string): string => `${name} ${action} check=1 install=0`;

  test("sets the profile, then the boot loader without the checks, and deletes its record last", () => {
    machine();
    system("new", { boot: `[ -e ${record} ] || exit 1` });
    expect(call("run").status).toBe(0);
    expect(called()).toEqual(["nix-env --set new", words("new", "boot")]);
    expect(link(profile)).toBe("system-2-link");
    expect(existsSync(record)).toBe(false);
  });

  test("of a rollback chooses the generation; of a specialisation it is the toplevel's", () => {
    machine({ generation: "1", "new-running": join(directory, "special"), "new-toplevel": join(directory, "old"), "install-bootloader": "1" });
    point(system("special"), current);
    symlinkSync(system("newer"), `${profile}-2-link`);
    point("system-2-link", profile);
    expect(call("run").status).toBe(0);
    expect(called()).toEqual(["nix-env --switch-generation 1", "old boot check=1 install=1"]);
    expect(link(profile)).toBe("system-1-link");
  });

  test("changes nothing where the machine runs another system", () => {
    machine();
    point(system("third"), current);
    const { status, stdout } = call("run");
    expect(status).toBe(9);
    expect(stdout).toContain("third instead of the new system: nothing was changed");
    expect(called()).toEqual([]);
    expect(existsSync(record)).toBe(false);
  });

  test.each([
    ["the boot loader fails", { boot: "echo Failed to install bootloader; exit 1" }, {}, 20, "undone 0 0 0"],
    ["the old boot loader fails too, and the old system is activated all the same", { boot: "exit 1" }, { boot: "exit 1" }, 21, "undone 0 1 0"],
    ["the old system has failed units", { boot: "exit 1" }, { test: "exit 4" }, 20, "undone 0 0 4"],
    ["the old system cannot be activated", { boot: "exit 1" }, { test: "exit 2" }, 21, "undone 0 0 2"],
  ])("%s", (_, fresh, old, status, said) => {
    machine();
    system("new", fresh);
    system("old", old);
    const end = call("run");
    expect(end.status).toBe(status);
    expect(end.stdout).toMatch(new RegExp(`undoing profile and boot loader \\(exit code 1\\)[^]*nix-flake-deploy: ${said}\n$`));
    expect(called()).toEqual(["nix-env --set new", words("new", "boot"), words("old", "boot"), "old test check=1 install=0"]);
    expect(link(profile)).toBe("system-1-link");
    // The rejected system is no generation that a later rollback could choose.
    expect(link(`${profile}-2-link`)).toBeUndefined();
    // What could not be undone is tried again by the next run.
    expect(existsSync(record)).toBe(said.startsWith("undone 0 1"));
  });

  test("does not touch the boot loader where the profile could not be set", () => {
    machine();
    script(join(programs, "nix-env"), "echo error: no space >&2; exit 1");
    const { status, stdout } = call("run");
    expect(status).toBe(20);
    expect(stdout).toMatch(/the system profile could not be set[^]*undone 0 - 0/);
    expect(called()).toEqual([words("old", "test")]);
    expect(existsSync(record)).toBe(false);
  });

  test("changes neither profile nor boot loader where the record cannot be written", () => {
    machine();
    // A file in place of the directory.
    writeFileSync(join(directory, "state"), "");
    const { status, stdout } = call("run");
    rmSync(join(directory, "state"));
    expect(status).toBe(20);
    expect(stdout).toContain("the previous profile and boot loader could not be recorded");
    expect(called()).toEqual([words("old", "test")]);
    expect(link(profile)).toBe("system-1-link");
  });

  test("keeps a generation that was there before", () => {
    machine();
    symlinkSync(join(directory, "new"), `${profile}-2-link`);
    system("new", { boot: "exit 1" });
    expect(call("run").status).toBe(20);
    expect(link(profile)).toBe("system-1-link");
    expect(link(`${profile}-2-link`)).toBe(join(directory, "new"));
  });

  test("on a machine without a system profile leaves none", () => {
    machine({ "previous-link": "", "previous-profile": "" });
    rmSync(profile);
    rmSync(`${profile}-1-link`);
    system("new", { boot: "exit 1" });
    expect(call("run").status).toBe(20);
    expect(link(profile)).toBeUndefined();
    expect(called().at(-2)).toBe(words("old", "boot"));
  });

  test("ends a boot loader that takes too long, and undoes the step", () => {
    machine({ limit: "1" });
    system("new", { boot: "sleep 30" });
    const { status, stdout } = call("run");
    expect(status).toBe(20);
    expect(stdout).toMatch(/exceeded the limit of 1 s[^]*exit code 124/);
  });

  describe("limits profile and boot loader together:", () => {
    const clock = join(directory, "uptime");
    // The clock of the machine, which stands still but where a program moves it.
    const clocked = (): void => {
      machine({ limit: "600" });
      system("new");
      writeFileSync(clock, "1000.00 2000.00\n");
      const text = residentScript("last");
      expect(text).toContain("</proc/uptime");
      writeFileSync(join(run, "last.sh"), text.replaceAll("/proc/uptime", clock));
    };
    const setProfile = (uptime: number): void =>
      script(
        join(programs, "nix-env"),
        `echo nix-env >>${calls}; ln -s ${directory}/new ${profile}-2-link; ln -sfn system-2-link ${profile}; echo ${uptime} >${clock}`,
      );

    test("what the profile has left is the boot loader's", () => {
      clocked();
      setProfile(1599);
      expect(call("run").status).toBe(0);
      expect(called()).toEqual(["nix-env", words("new", "boot")]);
    });

    test("where nothing is left the step is undone, and has no more time when it is run again", () => {
      clocked();
      setProfile(1600);
      const undone = [words("old", "boot"), words("old", "test")];
      const { status, stdout } = call("run");
      expect(status).toBe(20);
      expect(stdout).toMatch(/new boot exceeded the limit of 600 s\n[^]*exit code 124[^]*undone 0 0 0/);
      // Each part of the undoing is tried all the same.
      expect(called()).toEqual(["nix-env", ...undone]);
      rmSync(calls);
      expect(call("run").status).toBe(20);
      expect(called()).toEqual(undone);
    });
  });

  test("does not roll back a machine that someone else switches meanwhile", () => {
    machine();
    system("new", { boot: `ln -sfn ${system("third")} ${current}; exit 1` });
    const { status, stdout } = call("run");
    expect(status).toBe(21);
    expect(stdout).toContain("third, which is neither the old nor the new system: leaving it");
    expect(called()).not.toContain(words("old", "test"));
  });

  describe("a step that was interrupted is mended by the next run:", () => {
    /** The step is killed, as by a crash, where nix-env or the boot loader ends. */
    const interrupt = (place: "before the profile" | "after the profile" | "in the boot loader") => {
      machine();
      if (place === "before the profile") script(join(programs, "nix-env"), "exit 1");
      else system("new", { boot: place === "in the boot loader" ? `echo half >${directory}/entry; exit 1` : "exit 1" });
      script(join(programs, "timeout"), '[ "$1" = 30 ] && exit 0; shift 2; "$@" || kill -9 $PPID');
      spawnSync(shell, [join(run, "last.sh"), "run"], { env });
      rmSync(join(programs, "timeout"));
      rmSync(calls, { force: true });
      expect(existsSync(record)).toBe(true);
      system("new");
      // Another run, after the restart.
      writeFileSync(join(run, "run"), "later");
      rmSync(join(run, "boot.begun"), { force: true });
      script(
        join(programs, "nix-env"),
        `echo "nix-env $3" >>${calls}; [ -L ${profile}-2-link ] || ln -s ${directory}/new ${profile}-2-link; ln -sfn system-2-link ${profile}`,
      );
    };
    const places = ["before the profile", "after the profile", "in the boot loader"] as const;

    test.each(places)("undone on a machine that runs its old system (%s)", (place) => {
      interrupt(place);
      point(join(directory, "old"), current);
      expect(call("mend").status).toBe(0);
      expect(called()).toEqual([words("old", "boot")]);
      expect(link(profile)).toBe("system-1-link");
      expect(link(`${profile}-2-link`)).toBeUndefined();
      expect(existsSync(record)).toBe(false);
    });

    test.each(places)("finished on a machine that runs the new system (%s)", (place) => {
      interrupt(place);
      expect(call("mend").status).toBe(0);
      expect(called()).toEqual(["nix-env --set", words("new", "boot")]);
      expect(link(profile)).toBe("system-2-link");
      expect(existsSync(record)).toBe(false);
    });

    test("undone where the old generation was removed since: it becomes one again", () => {
      interrupt("after the profile");
      point(join(directory, "old"), current);
      rmSync(`${profile}-1-link`);
      script(
        join(programs, "nix-env"),
        `echo "nix-env $3 $4" | sed 's|${directory}/||' >>${calls}; ln -sfn "$4" ${profile}-3-link; ln -sfn system-3-link ${profile}`,
      );
      expect(call("mend").status).toBe(0);
      expect(called()).toEqual(["nix-env --set old", words("old", "boot")]);
      expect(link(profile)).toBe("system-3-link");
      expect(existsSync(record)).toBe(false);
    });

    test("left to the next run where it cannot be", () => {
      interrupt("after the profile");
      system("new", { boot: "exit 1" });
      expect(call("mend").status).toBe(1);
      expect(existsSync(record)).toBe(true);
    });

    test("the boot loader gets the profile's system on a machine that runs a third one", () => {
      interrupt("after the profile");
      point(system("third"), current);
      expect(call("mend").status).toBe(0);
      expect(called()).toEqual([words("new", "boot")]);
      expect(existsSync(record)).toBe(false);
    });
  });

  test("restores an interrupted activation, whatever its units say", () => {
    machine();
    writeFileSync(join(run, "interrupted"), system("old", { test: "exit 4" }));
    expect(call("mend").status).toBe(0);
    expect(called()).toEqual(["old test check=1 install=0"]);
    expect(existsSync(join(run, "mended"))).toBe(true);
  });

  test("of boot restores profile and boot entry without activating anything", () => {
    machine({ kind: "boot" });
    system("new", { boot: "exit 1" });
    expect(call("begin").status).toBe(1);
    expect(called()[1]).toBe("new boot check= install=0");
    expect(call("undo").status).toBe(0);
    expect(called().slice(2)).toEqual([words("old", "boot")]);
    expect(link(profile)).toBe("system-1-link");
    expect(existsSync(record)).toBe(false);
  });

  test("of boot keeps its record until it was decided for", () => {
    machine({ kind: "boot" });
    expect(call("begin").status).toBe(0);
    expect(existsSync(record)).toBe(true);
    expect(call("end").status).toBe(0);
    expect(existsSync(record)).toBe(false);
    expect(link(profile)).toBe("system-2-link");
  });
});
