import { describe, expect, test } from "@jest/globals";

import { isStorePath, optionalStorePath, storePath } from "../../../src/domain/store-path.js";

const hash = "0123456789abcdfghijklmnpqrsvwxyz";

describe("a path of the Nix store", () => {
  test.each([
    `/nix/store/${hash}-source`,
    `/nix/store/${hash}-nixos-system-web1-25.11.20260101.abc`,
    `/nix/store/${hash}-a+b-c._?=D`,
    `/nix/store/${hash}-${"x".repeat(211)}`,
  ])("is %s", (text) => {
    expect(isStorePath(text)).toBe(true);
    expect(storePath(text)).toBe(text);
    expect(optionalStorePath(text)).toBe(text);
  });

  test.each([
    "",
    "/nix/store",
    `/nix/store/${hash}`,
    `/nix/store/${hash}-`,
    `/nix/store/${hash}-source/nixos`,
    `/nix/store/${hash}-source\n`,
    ` /nix/store/${hash}-source`,
    `/nix/store/${hash.slice(1)}-source`,
    `/nix/store/${hash.replace("0", "e")}-source`,
    `/nix/store/${hash.toUpperCase()}-source`,
    `/nix/store/${hash}-$(id)`,
    `/nix/store/${hash}-${"x".repeat(212)}`,
    `/gnu/store/${hash}-source`,
    `/nix/store/../${hash}-source`,
  ])("is not %j", (text) => {
    expect(isStorePath(text)).toBe(false);
    expect(() => storePath(text)).toThrow(new Error(`not a Nix store path: ${JSON.stringify(text)}`));
  });

  test("is shown cut where it is long", () => {
    expect(() => storePath("x".repeat(1000))).toThrow(new Error(`not a Nix store path: "${"x".repeat(300)}"`));
  });

  test("may be missing where it is optional", () => {
    expect(optionalStorePath("")).toBeUndefined();
    expect(optionalStorePath(undefined)).toBeUndefined();
    expect(() => optionalStorePath("/tmp")).toThrow("not a Nix store");
  });
});
