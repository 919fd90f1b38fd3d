import { existsSync, readFileSync } from "node:fs";

import { describe, expect, test } from "@jest/globals";

import { parseFacts } from "../../../../src/nixos/facts.js";
import { base, call, payload, prepareArguments, uid } from "./as-user.js";

describe.each(["dash", "bash"])("under %s", (shell) => {
  test("facts reports everything requested", () => {
    const { out, code } = payload(call(shell, "facts"));
    expect(code).toBe(0);
    const facts = parseFacts(out);
    expect([...facts.keys()].filter((key) => !["free-kib", "doas", "run0"].includes(key))).toEqual([
      "user",
      "uid",
      "hostname",
      "sudo",
      "inflates",
      "nixos-rebuild",
      "memory-kib",
      "running",
      "booted",
      "profile",
      "reboot-needed",
      "generation",
      "boot-id",
      "failed-units",
      "older-generation",
      "specialisation",
      "unfinished",
      "machine-id",
      "pid-namespace",
      "systemd",
      "nix",
    ]);
    expect(facts.get("uid")).toBe(String(uid));
    expect(facts.get("memory-kib")).toMatch(/^\d+$/);
    expect(facts.get("hostname")).toBe(readFileSync("/proc/sys/kernel/hostname", "utf8").trim());
    expect(facts.get("boot-id")).toBe(readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
    expect(facts.get("sudo")).toMatch(/^(?:missing|ready|refused)$/);
    expect(facts.get("reboot-needed")).toBe("no");
  });

  test("enter reports the same for a user without root, and prepares nothing", () => {
    const { out, code } = payload(call(shell, "enter", prepareArguments("run1")));
    expect(code).toBe(0);
    const of = (text: string): string[] => [...parseFacts(text).keys()];
    expect(of(out)).toEqual(of(payload(call(shell, "facts")).out));
    expect(existsSync(base)).toBe(false);
  });
});
