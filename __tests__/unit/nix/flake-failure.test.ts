import { describe, expect, test } from "@jest/globals";

import { CommandError } from "../../../src/domain/errors.js";
import { explainFlake } from "../../../src/nix/flake-failure.js";
import { recording } from "./recording.js";

function problemOf(stderr: string, reference = "."): string | undefined {
  const error = explainFlake(new CommandError({ command: "nix", failure: { kind: "exit", exitCode: 1 }, stdout: "", stderr }), reference);
  return error?.problems.map(({ problem, advice }) => `${problem}. ${advice}`)[0];
}

test("inputs.self.submodules needs a newer Nix on the runner", () => {
  const stderr = "error: unexpected flake input attribute 'submodules', at /nix/store/mk8xr8wkw1s7gwfwivm6lcx59m97gjzx-source/flake.nix:1:3";
  expect(problemOf(stderr)).toMatch(/inputs\.self\.submodules, which Nix on the runner does not support\. Use Nix 2\.27/);
});

test.each(["repository-not-owned-2.34.8.log", "repository-not-owned-2.26.3.log"])("a repository of another owner needs safe.directory (%s)", (name) => {
  expect(problemOf(recording(name))).toBe(
    "Git refuses /w/own because it is owned by another user, which is usual for jobs in a container. Add this step before this one: - run: git config --global --add safe.directory '/w/own'",
  );
});

test("git's own wording for the owner is known, too", () => {
  expect(problemOf("fatal: detected dubious ownership in repository at '/__w/machines'")).toContain("safe.directory '/__w/machines'");
});

describe("a private input", () => {
  test.each([
    ["input-private-ssh-2.34.8.log", "git+ssh://git@127.0.0.1/org/p.git", "the runner does not know the host key of its server"],
    ["input-private-ssh-2.26.3.log", "git+ssh://git@127.0.0.1/org/p.git", "the runner does not know the host key of its server"],
    ["input-private-https-git-2.34.8.log", "git+http://127.0.0.1:8765/p.git", "its server asks for a user name and password"],
    ["input-private-https-git-2.26.3.log", "git+http://127.0.0.1:8765/p.git", "its server asks for a user name and password"],
    ["input-private-https-404-2.34.8.log", "http://127.0.0.1:8765/org/p.tar.gz", "HTTP error 404, which GitHub also returns for a private repository"],
    ["input-private-https-401-2.26.3.log", "http://127.0.0.1:8765/p.git.tar.gz", "HTTP error 401: access is denied"],
  ])("is named with the reason (%s)", (name, address, why) => {
    expect(problemOf(recording(name))).toMatch(`the flake's input ${address} could not be fetched: ${why}. `);
  });

  test.each([
    ["input-private-ssh-2.8.0.log", "the runner does not know the host key of its server"],
    ["input-private-https-git-2.8.0.log", "its server asks for a user name and password"],
  ])("has no name in the output of Nix 2.8 (%s)", (name, why) => {
    expect(problemOf(recording(name))).toMatch(`the flake . or one of its inputs could not be fetched: ${why}. `);
  });

  test("may be the flake itself, and a key may be refused", () => {
    const ssh = recording("input-private-ssh-2.34.8.log").replaceAll("Host key verification failed.", "git@github.com: Permission denied (publickey).");
    expect(problemOf(ssh, "git+ssh://git@127.0.0.1/org/p.git")).toBe(
      "the flake git+ssh://git@127.0.0.1/org/p.git could not be fetched: its server does not accept an ssh key of the runner. Load a key that may read it before this step, for example with webfactory/ssh-agent; the input ssh-key is used for the machines only",
    );
  });

  test("is not the reason where a server cannot be resolved", () => {
    const stderr =
      "error:\n       … while fetching the input 'github:org/p/0123'\n\n       error: unable to download 'https://api.github.com/x': Could not resolve hostname (6) Could not resolve host: api.github.com";
    expect(problemOf(stderr)).toContain("the flake's input github:org/p/0123 could not be fetched: unable to download");
    expect(problemOf(stderr)).toMatch(/Check the address and the runner's network$/);
  });
});

test("an input without an address is not mistaken for the flake", () => {
  const stderr = "error:\n       … while updating the flake input 'nope'\n\n       error: cannot find flake 'flake:nope' in the flake registries";
  expect(problemOf(stderr)).toMatch(/^the input nope of the flake \. has no URL/);
  expect(problemOf("error: cannot find flake 'flake:nixos' in the flake registries", "nixos")).toMatch(/^nixos was not found in the flake registry/);
});

test("a file that the flake lacks is not mistaken for the flake's directory", () => {
  for (const version of ["2.34.8", "2.26.3", "2.8.0"]) expect(problemOf(recording(`evaluation-file-missing-${version}.log`))).toBeUndefined();
  expect(problemOf("error: getting status of '/srv/nixos': No such file or directory", "./nixos")).toMatch(/^the directory \.\/nixos was not found/);
});

test("lock files that Lix and Nix do not share are explained", () => {
  expect(problemOf('error: lock file contains mutable lock \'{"path":"./x","type":"path"}\'')).toContain("Nix and Lix lock relative inputs");
});

test("anything else is left to Nix", () => {
  expect(problemOf("error: undefined variable 'x'")).toBeUndefined();
  expect(explainFlake(new Error("x"), ".")).toBeUndefined();
});
