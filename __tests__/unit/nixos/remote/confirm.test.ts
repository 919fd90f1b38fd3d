import { chmodSync, chownSync, existsSync, mkdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { parseFacts } from "../../../../src/nixos/facts.js";
import { residentScript } from "../../../../src/nixos/script-files.js";
import { base, call, isRoot, payload, prepareArguments, runtime, uid } from "./as-user.js";

// A machine whose systemd says which units have failed, and starts nothing.
const bin = join(runtime, "bin");
const directory = join(base, "run1");

/** Prepares a run that is armed. */
function arm(shell: string, kind: "switch" | "test", failed: readonly string[] = []): void {
  rmSync(bin, { recursive: true, force: true });
  mkdirSync(bin);
  const lists = failed.map((unit) => `echo '${unit} loaded failed failed A unit'\n`).join("");
  writeFileSync(join(bin, "systemctl"), `#!/bin/sh\n[ "$1" != list-units ] || {\n${lists}:\n}\n`);
  writeFileSync(join(bin, "systemd-run"), "#!/bin/sh\n");
  for (const program of ["systemctl", "systemd-run"]) chmodSync(join(bin, program), 0o755);
  payload(call(shell, "prepare", prepareArguments("run1")));
  const system = join(runtime, "system");
  const previous = { "previous-link": "system-1-link", "previous-profile": system, "previous-running": system };
  const files = { armed: "", begun: "", run: "run1", kind, current: join(runtime, "current"), "new-running": system, ...previous };
  for (const [name, text] of Object.entries({ ...files, "watchdog.sh": residentScript("watchdog") })) {
    writeFileSync(join(directory, name), text);
    if (isRoot) chownSync(join(directory, name), uid, uid);
  }
}

/** Has the machine confirm, where `units` may have failed and `running` must run. */
function confirm(shell: string, { running = "", units = "", offset = "0" } = {}) {
  const { code, out, err } = payload(call(shell, "confirm", ["run1", "last", offset, running, units], { PATH: `${bin}:${process.env["PATH"]}` }));
  return { code, out, facts: parseFacts(err) };
}

const decision = (): string | undefined => (existsSync(join(directory, "armed")) ? linkOf(join(directory, "decision")) : undefined);

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

describe.each(["dash", "bash"])("under %s, a system is confirmed", (shell) => {
  test("where nothing speaks against it, and the state of the machine is reported", () => {
    arm(shell, "test");
    const { code, facts } = confirm(shell);
    expect(code).toBe(0);
    expect(facts.get("confirmed")).toBe("yes");
    expect(facts.has("boot-id")).toBe(true);
    expect(decision()).toBe("keep");
  });

  test.each([
    ["another unit has failed", { units: "a.service b.service" }],
    ["a unit has failed whose name another one begins with", { units: "c.service-more xc.service" }],
    ["another system runs", { units: "c.service", running: "/nix/store/1zyny0pgb44v7pzrfjjvp4yrgsmhm5ax-nixos-system-web1" }],
  ])("not where %s: then nothing is decided", (_, expectation) => {
    arm(shell, "test", ["c.service"]);
    const { code, facts } = confirm(shell, expectation);
    expect(code).toBe(0);
    expect(facts.get("confirmed")).toBe("no");
    expect(facts.get("failed-units")).toBe("c.service");
    expect(decision()).toBeUndefined();
  });

  test("where only units have failed that may have", () => {
    arm(shell, "test", ["c.service", "a.service"]);
    expect(confirm(shell, { units: "a.service b.service c.service" }).facts.get("confirmed")).toBe("yes");
    expect(decision()).toBe("keep");
  });

  test("again where the connection was lost, whatever has failed since", () => {
    arm(shell, "test", ["late.service"]);
    symlinkSync("keep", join(directory, "decision"));
    expect(confirm(shell).facts.get("confirmed")).toBe("yes");
  });

  test("never where the machine has decided otherwise, or does not know the run", () => {
    arm(shell, "test");
    symlinkSync("back", join(directory, "decision"));
    expect(confirm(shell).code).toBe(7);
    rmSync(join(directory, "armed"));
    expect(confirm(shell).code).toBe(3);
    rmSync(directory, { recursive: true });
    expect(confirm(shell).code).toBe(3);
  });

  test("with the log of its last step, from where it was left, and its end", () => {
    arm(shell, "switch");
    for (const [name, text] of [
      ["last.log", "one\ntwo\n"],
      ["last.status", "20\n"],
    ] as const)
      writeFileSync(join(directory, name), text);
    const { out, facts } = confirm(shell);
    expect(out).toBe("one\ntwo\n");
    expect(facts.get("exit")).toBe("20");
    expect(confirm(shell, { offset: "4" }).out).toBe("two\n");
  });
});
