import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";

import { afterEach, describe, expect, test } from "@jest/globals";

import { residentScript } from "../../../../src/nixos/script-files.js";
import { base, call, isRoot, payload, runtime, uid, prepareArguments } from "./as-user.js";

describe.each(["dash", "bash"])("under %s", (shell) => {
  test("prepare makes a directory for its user alone, and may be run again", () => {
    for (let time = 0; time < 2; time += 1)
      expect(payload(call(shell, "prepare", prepareArguments("run1")))).toMatchObject({ code: 0, out: "rooted=yes\n", err: "" });
    expect(readdirSync(base)).toEqual(["run1"]);
    const { stdout } = spawnSync("stat", ["-c", "%a %u", base, join(base, "run1")], { encoding: "utf8" });
    expect(stdout).toBe(`700 ${uid}\n700 ${uid}\n`);
  });

  test("prepare passes over paths that have not arrived yet", () => {
    expect(payload(call(shell, "prepare", prepareArguments("run1", "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-none"))).code).toBe(0);
  });

  test.each<[string, () => void]>([
    ["a link", () => symlinkSync(runtime, base)],
    // Only root can make a directory that is not its user's.
    ...(isRoot ? [["a directory", () => mkdirSync(base)] satisfies [string, () => void]] : []),
  ])("prepare refuses %s of somebody else", (_, make) => {
    make();
    const { code, err } = payload(call(shell, "prepare", prepareArguments("run1")));
    expect(code).toBe(1);
    expect(err).toContain(`${base} is owned by another user`);
  });

  test("prepare removes what a dead run has left, and nothing younger", () => {
    for (const run of ["old", "young"]) payload(call(shell, "prepare", prepareArguments(run)));
    spawnSync("touch", ["-d", "2 days ago", join(base, "old")]);
    payload(call(shell, "prepare", prepareArguments("run1")));
    expect(readdirSync(base).toSorted()).toEqual(["run1", "young"]);
  });

  test("prepare says where it cannot make its directory", () => {
    const long = payload(call(shell, "prepare", prepareArguments("x".repeat(300)), { XDG_RUNTIME_DIR: "" }));
    expect(long).toMatchObject({ code: 1, err: expect.stringMatching(/^\/tmp\/nix-flake-deploy-\d+-x+ cannot be made\n$/) });
  });

  describe.each(["", "/nonexistent", "/"])("without a directory of the user's own (XDG_RUNTIME_DIR: %j)", (XDG_RUNTIME_DIR) => {
    const run = `${randomBytes(6).toString("hex")}-web1`;
    const place = `/tmp/nix-flake-deploy-${uid}-${run}`;
    // The name that everybody can guess.
    const guessed = `/tmp/nix-flake-deploy-${uid}`;
    afterEach(() => {
      rmSync(place, { recursive: true, force: true });
      rmSync(guessed, { recursive: true, force: true });
    });
    const here = { XDG_RUNTIME_DIR };

    test("a run makes one that nobody can guess, for this user alone, whatever else is in /tmp", () => {
      mkdirSync(guessed, { recursive: true });
      expect(payload(call(shell, "prepare", prepareArguments(run), here)).code).toBe(0);
      expect(statSync(place).mode & 0o777).toBe(0o700);
      expect(statSync(place).uid).toBe(uid);
      payload(call(shell, "prepare", prepareArguments(run), here));
      payload(call(shell, "start", [run, "build", residentScript("job"), "pwd"], here));
      expect(payload(call(shell, "follow", [run, "build", "0"], here)).out).toBe(`${place}\n`);
      payload(call(shell, "finish", [run], here));
      expect(existsSync(place)).toBe(false);
    });

    test("prepare refuses a link that is there already", () => {
      symlinkSync("/etc", place);
      expect(payload(call(shell, "prepare", prepareArguments(run), here))).toMatchObject({ code: 1, err: `${place} is owned by another user\n` });
      rmSync(place);
    });

    test("prepare removes what a dead run of the user has left, and nothing of others", () => {
      const [old, foreign] = [`${place}old`, `${place}foreign`];
      payload(call(shell, "prepare", prepareArguments(`${run}old`), here));
      mkdirSync(foreign);
      spawnSync("touch", ["-d", "2 days ago", old, foreign]);
      payload(call(shell, "prepare", prepareArguments(run), here));
      expect([existsSync(old), existsSync(foreign)]).toEqual([false, isRoot]);
      rmSync(foreign, { recursive: true, force: true });
    });
  });
});
