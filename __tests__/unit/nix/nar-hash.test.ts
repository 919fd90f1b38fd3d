import { createHash } from "node:crypto";

import { describe, expect, test } from "@jest/globals";

import { sriHash } from "../../../src/nix/nar-hash.js";

describe("sriHash", () => {
  // As `nix-store --query --hash` and `nix hash to-sri` print them for the same paths.
  test.each([
    ["sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73", "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="],
    ["sha256:13xcic4iqpchrb8b48cn9250p6n7v32777pfbc47rm1yss7kr5f0\n", "sha256-wJU8j9Y+1HwIW+6ec8TYx5oLikiWIbLQypBdHAmLrI8="],
    ["sha256:1kpp941lca9wphynmbb4lx0aa13s6gwmr4n8x2bp47livhy4f05z", "sha256-vwBHPNyRHnKX6MiSXPkzegSlQKdkrWo9vDwpRgNJ984="],
  ])("converts %j", (printed, expected) => {
    expect(sriHash(printed)).toBe(expected);
  });

  test("keeps one that has that form already", () => {
    const hash = `sha256-${createHash("sha256").update("x").digest("base64")}`;
    expect(sriHash(hash)).toBe(hash);
  });

  test.each(["", "sha256:", "sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c7e", `sha256:${"z".repeat(52)}`, "sha512:x", "error: path is not valid"])(
    "refuses %j",
    (printed) => {
      expect(() => sriHash(printed)).toThrow(/hash|digit/);
    },
  );
});
