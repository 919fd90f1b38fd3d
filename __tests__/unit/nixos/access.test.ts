import { describe, expect, test } from "@jest/globals";

import { DeployError } from "../../../src/domain/errors.js";
import { requireAccess, wantsTerminal, type Root, type SudoMode } from "../../../src/nixos/access.js";
import type { Access } from "../../../src/nixos/facts.js";
import { thrown } from "../failure-of.js";

type Case = {
  readonly user: "root" | "deploy";
  readonly has: Access["sudo"];
  readonly sudo: SudoMode;
  readonly needsRoot: boolean;
  readonly sudoPassword?: string;
};

function decide({ user, has, sudo, needsRoot, sudoPassword }: Case): Root {
  return requireAccess({ user, root: user === "root", sudo: has }, { sudo, needsRoot, sudoPassword });
}

describe("requireAccess", () => {
  test.each<[Case, Root]>([
    [
      { user: "root", has: "unneeded", sudo: "auto", needsRoot: true },
      { privileged: true, sudo: { kind: "none" } },
    ],
    [
      { user: "root", has: "unneeded", sudo: "false", needsRoot: true },
      { privileged: true, sudo: { kind: "none" } },
    ],
    [
      { user: "root", has: "unneeded", sudo: "true", needsRoot: true },
      { privileged: true, sudo: { kind: "free" } },
    ],
    [
      { user: "deploy", has: "ready", sudo: "auto", needsRoot: true },
      { privileged: true, sudo: { kind: "free" } },
    ],
    [
      { user: "deploy", has: "ready", sudo: "true", needsRoot: false },
      { privileged: true, sudo: { kind: "free" } },
    ],
    [
      { user: "deploy", has: "ready", sudo: "auto", needsRoot: false },
      { privileged: true, sudo: { kind: "free" } },
    ],
    [
      { user: "deploy", has: "ready", sudo: "false", needsRoot: false },
      { privileged: false, sudo: { kind: "none" } },
    ],
    [
      { user: "deploy", has: "refused", sudo: "auto", needsRoot: false },
      { privileged: false, sudo: { kind: "none" } },
    ],
    [
      { user: "deploy", has: "missing", sudo: "auto", needsRoot: false },
      { privileged: false, sudo: { kind: "none" } },
    ],
    [
      { user: "deploy", has: "refused", sudo: "auto", needsRoot: true, sudoPassword: "x" },
      { privileged: true, sudo: { kind: "password", password: "x" } },
    ],
    [
      { user: "deploy", has: "ready", sudo: "auto", needsRoot: true, sudoPassword: "x" },
      { privileged: true, sudo: { kind: "free" } },
    ],
  ])("%j: %j", (situation, expected) => {
    expect(decide(situation)).toEqual(expected);
  });

  test("sudo that wants a terminal says how to do without", () => {
    const access = { user: "deploy", root: false, sudo: "refused", sudoSays: "sudo: sorry, you must have a tty to run sudo" } as const;
    const error = thrown(DeployError, () => requireAccess(access, { sudo: "auto", sudoPassword: undefined, needsRoot: true }));
    expect(error).toMatchObject({
      phase: "connect",
      reason: "sudo on the machine wants a terminal for deploy, and a deployment has none",
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
    [
      { user: "deploy", has: "ready", sudo: "false", needsRoot: true },
      "deploy is not root, and the input sudo is false",
      "Set sudo to auto, or connect as root",
    ],
    [{ user: "deploy", has: "missing", sudo: "auto", needsRoot: true }, "deploy is not root, and there is no sudo on the machine", "Connect as root"],
    [{ user: "deploy", has: "missing", sudo: "true", needsRoot: false }, "deploy is not root, and there is no sudo on the machine", "Connect as root"],
    [{ user: "deploy", has: "refused", sudo: "auto", needsRoot: true }, "sudo on the machine refuses deploy without a password", rule],
    [{ user: "deploy", has: "refused", sudo: "true", needsRoot: false }, "sudo on the machine refuses deploy without a password", rule],
  ])("%j: %s", (situation, reason, hint) => {
    const error = thrown(DeployError, () => decide(situation));
    expect(error).toMatchObject({ phase: "connect", reason, exitCode: 1, unreachable: false });
    expect(error.hint).toContain(hint);
  });
});
