import { execFileSync } from "node:child_process";

import { describe, expect, test } from "@jest/globals";

import { nameOnMachine } from "../../../src/nixos/name-on-machine.js";

const names = [
  "web1",
  "web1-build",
  "web1-build-x",
  "web-1",
  "web_1",
  "web 1",
  "web10",
  "web1.example.org",
  ".",
  "..",
  "wéb",
  "*",
  "$(id)",
  "a/b",
  "x".repeat(100),
  "x".repeat(99),
];

describe("the name of a run on a machine", () => {
  test("has the target in it, as it is where nothing speaks against that", () => {
    expect(nameOnMachine("0a1b2c", "web1")).toBe("0a1b2c-web1");
    expect(nameOnMachine("0a1b2c", "web1.example.org")).toBe("0a1b2c-web1.example.org");
    expect(nameOnMachine("0a1b2c", "web-1")).toMatch(/^0a1b2c-web_1_[0-9a-f]{8}$/);
  });

  test.each(names)("of %j is a short word, with one dash after the run", (name) => {
    expect(nameOnMachine("0a1b2c", name)).toMatch(/^0a1b2c-[A-Za-z0-9_.]{1,69}$/);
    expect(nameOnMachine("0a1b2c", name)).not.toMatch(/-\.+$/);
  });

  test("is another one for every target", () => {
    expect(new Set(names.map((name) => nameOnMachine("r", name))).size).toBe(names.length);
  });

  test("is such that the scripts' patterns match the units of one target alone", () => {
    const units = names.flatMap((name) => ["build", "activate", "confirm-timer"].map((unit) => `nix-flake-deploy-${nameOnMachine("r", name)}-${unit}.service`));
    for (const name of names) {
      const own = nameOnMachine("r", name);
      for (const pattern of ["build*", "activat*", "*-timer.service", "*"]) {
        // As fnmatch(3) does it in systemctl.
        const script = `for unit; do case $unit in nix-flake-deploy-${own}-${pattern}) echo "$unit" ;; esac; done`;
        const matched = execFileSync("/bin/sh", ["-c", script, "sh", ...units], { encoding: "utf8" })
          .trim()
          .split("\n");
        expect(matched.length).toBe(pattern === "*" ? 3 : 1);
        for (const unit of matched) expect(unit.startsWith(`nix-flake-deploy-${own}-`)).toBe(true);
      }
    }
  });
});
