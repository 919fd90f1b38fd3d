import { describe, expect, test } from "@jest/globals";

import { escapePath, type MountPlan, planMounts } from "../../../src/domain/file-systems.js";

const nothing: MountPlan = { stop: [], restart: [], reload: [], keep: [], start: [] };

describe("two fstabs", () => {
  test.each<[string, readonly string[], readonly string[], Partial<MountPlan>]>([
    ["that are the same", ["/dev/a / ext4 defaults 0 1"], ["/dev/a / ext4 defaults 0 1"], {}],
    ["with comments and short lines", ["# /dev/b /b ext4", "", "odd"], ["/dev/c /c ext4 noauto # no"], {}],
    ["with another device", ["/dev/a /data ext4 x"], ["/dev/b /data ext4 x"], { restart: ["data.mount"] }],
    ["with another type", ["/dev/a /data ext4 x"], ["/dev/a /data xfs x"], { restart: ["data.mount"] }],
    ["with other options", ["/dev/a /data ext4 x"], ["/dev/a /data ext4 y"], { reload: ["data.mount"] }],
    ["with another device of /", ["/dev/a / ext4 x"], ["/dev/b / ext4 x"], { keep: ["-.mount"] }],
    ["with another device and other options of /nix", ["/dev/a /nix ext4 x"], ["/dev/b /nix ext4 y"], { reload: ["nix.mount"] }],
    ["without a mount", ["/dev/a /mnt/a-b ext4 x"], [], { stop: [String.raw`mnt-a\x2db.mount`] }],
    ["without an automount", ["/dev/a /boot vfat x-systemd.automount"], [], { stop: ["boot.automount"] }],
    ["with a new mount", [], ["/dev/a /data ext4"], { start: ["data.mount"] }],
    ["with a new automount", [], ["/dev/a /data ext4 x-systemd.automount"], { start: ["data.automount"] }],
    ["with a new mount that nobody mounts", [], ["/dev/a /data ext4 rw,noauto"], {}],
    ["without a swap device", ["/dev/s none swap sw", "/dev/t none swap sw"], ["/dev/t none swap sw"], { stop: ["swap device: /dev/s"] }],
  ])("%s", (_, before, after, plan) => {
    expect(planMounts({ before, after })).toEqual({ ...nothing, ...plan });
  });
});

test.each([
  ["/", "-"],
  ["/nix/", "nix"],
  ["/var//lib/x", "var-lib-x"],
  ["/.hidden/.x", String.raw`\x2ehidden-.x`],
  ["/ä b", String.raw`\xc3\xa4\x20b`],
])("the unit of %s is %s", (path, unit) => {
  expect(escapePath(path)).toBe(unit);
});
