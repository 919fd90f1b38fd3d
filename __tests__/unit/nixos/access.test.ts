import { describe, expect, test } from "@jest/globals";

import { DeployError } from "../../../src/domain/errors.js";
import { requireAccess, type Root, type SudoMode } from "../../../src/nixos/access.js";
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
