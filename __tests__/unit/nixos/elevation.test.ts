import { describe, expect, test } from "@jest/globals";

import { DeployError } from "../../../src/domain/errors.js";
import { requireAccess, wantsTerminal, type ElevateMode, type Root } from "../../../src/nixos/elevation.js";
import type { PasswordlessProgram } from "../../../src/nixos/remote-shell.js";
import type { Access } from "../../../src/nixos/facts.js";
import { thrown } from "../failure-of.js";

type Case = {
  readonly user?: "root";
  /** Default: everything is missing. */
  readonly has?: Partial<Pick<Access, "sudo" | "doas" | "run0">>;
  readonly elevate?: ElevateMode;
  readonly build?: true;
  readonly password?: string;
};

function decide({ user, has = {}, elevate = "auto", build, password }: Case): Root {
  const access: Access = {
    user: user ?? "deploy",
    root: user === "root",
    sudo: user === "root" ? "unneeded" : "missing",
    doas: "missing",
    run0: "missing",
    ...has,
  };
  return requireAccess(access, { elevate, needsRoot: build !== true, elevatePassword: password });
}

const everything = { sudo: "ready", doas: "ready", run0: "present" } as const;
const unprivileged: Root = { privileged: false, elevation: { kind: "none" } };
const by = (program: PasswordlessProgram): Root => ({ privileged: true, elevation: { kind: "passwordless", program } });
const byPassword: Root = { privileged: true, elevation: { kind: "password", password: "x" } };

describe("requireAccess", () => {
  test.each(["auto", "none", "sudo", "doas", "run0"] as const)("root needs nothing with elevate %s", (elevate) => {
    expect(decide({ user: "root", elevate, password: "x" })).toEqual({ privileged: true, elevation: { kind: "none" } });
  });

  test.each<[Case, Root]>([
    [{ has: everything }, by("sudo")],
    [{ has: everything, build: true }, by("sudo")],
    [{ has: { ...everything, sudo: "refused" } }, by("doas")],
    [{ has: { ...everything, sudo: "missing" }, password: "x" }, by("doas")],
    [{ has: { sudo: "refused" }, password: "x" }, byPassword],
    [{ has: { sudo: "refused", doas: "ready" }, elevate: "sudo", password: "x" }, byPassword],
    [{ has: { sudo: "ready" }, password: "x" }, by("sudo")],
    [{ has: everything, elevate: "doas" }, by("doas")],
    [{ has: everything, elevate: "run0" }, by("run0")],
    [{ has: { run0: "lightweight" }, elevate: "run0" }, by("run0-with-manager")],
    [{ has: everything, elevate: "none", build: true }, unprivileged],
    [{ has: { sudo: "refused" }, build: true }, unprivileged],
    [{ build: true }, unprivileged],
    // auto does not try run0: where it is not allowed, polkit may ask somebody else on the machine.
    [{ has: { run0: "present" }, build: true }, unprivileged],
  ])("%j: %j", (situation, expected) => {
    expect(decide(situation)).toEqual(expected);
  });

  test("sudo that wants a terminal says how to do without", () => {
    const access = {
      user: "deploy",
      root: false,
      sudo: "refused",
      sudoSays: "sudo: sorry, you must have a tty to run sudo",
      doas: "missing",
      run0: "present",
    } as const;
    const error = thrown(DeployError, () => requireAccess(access, { elevate: "auto", elevatePassword: undefined, needsRoot: true }));
    expect(error).toMatchObject({
      phase: "connect",
      reason: "sudo on the machine requires a terminal for deploy, which a deployment does not have",
      lines: [access.sudoSays],
    });
    expect(error.hint).toContain("`Defaults:deploy !requiretty`");
  });

  test.each([
    ["sudo: sorry, you must have a tty to run sudo", true],
    ["sudo: a password is required", false],
    // These two mean a password.
    ["sudo: no tty present and no askpass program specified", false],
    ["sudo: a terminal is required to read the password; either use the -S option to read from standard input or configure an askpass helper", false],
  ])("%j wants a terminal: %s", (says, wants) => {
    expect(wantsTerminal(says)).toBe(wants);
  });

  const rule = "deploy ALL=(root) NOPASSWD: /bin/sh -s";
  test.each<[Case, string, string]>([
    [{ has: everything, elevate: "none" }, "deploy is not root, and the input elevate is none", "Set elevate to auto, or connect as root"],
    [{}, "deploy is not root, and the machine has no sudo or doas", "Connect as root"],
    [{ has: { doas: "refused" } }, "deploy is not root, and the machine has no sudo", "Connect as root"],
    [{ elevate: "sudo", build: true }, "deploy is not root, and the machine has no sudo", "Connect as root"],
    [{ elevate: "doas", build: true }, "deploy is not root, and the machine has no doas", "Connect as root"],
    [{ elevate: "run0" }, "deploy is not root, and the machine has no run0 (systemd 256 or newer)", "Connect as root"],
    [{ has: { sudo: "refused" } }, "sudo on the machine refuses deploy without a password", rule],
    [{ has: { sudo: "refused" }, elevate: "sudo", build: true }, "sudo on the machine refuses deploy without a password", rule],
    [
      { has: { sudo: "ready", doas: "refused" }, elevate: "doas" },
      "doas on the machine refuses deploy without a password",
      "permit nopass deploy as root cmd /bin/sh args -s",
    ],
  ])("%j: %s", (situation, reason, hint) => {
    const error = thrown(DeployError, () => decide(situation));
    expect(error).toMatchObject({ phase: "connect", reason, exitCode: 1, unreachable: false });
    expect(error.hint).toContain(hint);
  });
});
