import { describe, expect, test } from "@jest/globals";

import { changeKind, compareClosures, countChanges, packageOf, type SizedPath } from "../../../src/domain/closure-difference.js";
import { makeStorePath } from "./make.js";

function paths(...entries: readonly (readonly [string, number])[]): SizedPath[] {
  return entries.map(([name, bytes]) => ({ path: makeStorePath(name), bytes }));
}

describe("packageOf", () => {
  test.each([
    ["nginx-1.28.0", "nginx", "1.28.0"],
    ["python3.13-requests-2.32.3", "python3.13-requests", "2.32.3"],
    ["openssl-3.5.2-bin", "openssl", "3.5.2"],
    ["glibc-2.40-66", "glibc", "2.40-66"],
    ["glibc-2.40-66-dev", "glibc", "2.40-66"],
    ["nixos-system-web1-26.05.20260101.0000000", "nixos-system-web1", "26.05.20260101.0000000"],
    ["linux-6.12.50-modules", "linux", "6.12.50"],
    ["bash-interactive-5.3p3", "bash-interactive", "5.3p3"],
    ["foo-0-unstable-2025-01-01", "foo", "0-unstable-2025-01-01"],
    ["unit-nginx.service", "unit-nginx.service", ""],
    ["etc", "etc", ""],
    ["system-path", "system-path", ""],
    ["hello-world", "hello-world", ""],
    ["tool-bin", "tool", ""],
    ["x-?1", "x", "?1"],
  ])("%s is %s in version %j", (base, name, version) => {
    expect(packageOf(makeStorePath(base))).toEqual({ name, version });
  });
});

describe("compareClosures", () => {
  test("lists packages that were added, removed and changed, with their sizes", () => {
    const difference = compareClosures(
      paths(["nginx-1.28.0", 1000], ["hello-2.12.1", 500]),
      paths(["nginx-1.28.1", 1400], ["curl-8.15.0", 300], ["curl-8.15.0-bin", 100]),
    );
    expect(difference).toEqual({
      packages: [
        { name: "curl", before: [], after: ["8.15.0"], bytes: 400 },
        { name: "hello", before: ["2.12.1"], after: [], bytes: -500 },
        { name: "nginx", before: ["1.28.0"], after: ["1.28.1"], bytes: 400 },
      ],
      rebuilt: 0,
      files: 0,
      bytes: 300,
      truncated: false,
    });
    expect(difference.packages.map(changeKind)).toEqual(["added", "removed", "changed"]);
    expect(countChanges(difference)).toEqual({ added: 1, removed: 1, changed: 1 });
  });

  test("counts packages that were only rebuilt", () => {
    // The system itself is always built anew.
    const system = "nixos-system-web1-26.05";
    expect(compareClosures(paths(["nginx-1.28.0", 1000], [system, 5]), paths(["nginx-1.28.0", 1010], [system, 5]))).toEqual({
      packages: [],
      rebuilt: 1,
      files: 0,
      bytes: 10,
      truncated: false,
    });
  });

  test("has all versions of a package of which there are several", () => {
    const { packages } = compareClosures(paths(["openssl-1.1.1w", 1], ["openssl-3.5.1", 1]), paths(["openssl-3.5.2", 1]));
    expect(packages).toEqual([{ name: "openssl", before: ["1.1.1w", "3.5.1"], after: ["3.5.2"], bytes: -1 }]);
  });

  test("counts small paths without a version and names large ones", () => {
    const difference = compareClosures(paths(["etc", 1000], ["unit-a.service", 300]), paths(["etc", 1100], ["unit-b.service", 300], ["my-tool", 10_000]));
    expect(difference.files).toBe(3);
    expect(difference.packages).toEqual([{ name: "my-tool", before: [], after: [""], bytes: 10_000 }]);
    expect(difference.bytes).toBe(10_100);
  });

  test("of equal closures is empty, and may be marked incomplete", () => {
    expect(compareClosures([], [], true)).toEqual({ packages: [], rebuilt: 0, files: 0, bytes: 0, truncated: true });
  });

  test("takes names that mean something to JavaScript", () => {
    const { packages } = compareClosures([], paths(["constructor-1.0", 1], ["__proto__-1.0", 1]));
    expect(packages.map(({ name }) => name)).toEqual(["__proto__", "constructor"]);
  });
});
