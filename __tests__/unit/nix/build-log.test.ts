import { describe, expect, test } from "@jest/globals";

import { BuildLogReader, type BuildFailures } from "../../../src/nix/build-log.js";
import { renderBuildFailures, type BuildFailureText } from "../../../src/nix/failed-derivations.js";
import { recording } from "./recording.js";

const bad = "/nix/store/1knxgayiahqlck4w7fra87a70ydyxhs5-bad.drv";
const versions = ["2.34.8", "2.26.3", "2.8.0"];

function failuresIn(output: string): BuildFailures {
  const reader = new BuildLogReader();
  for (const line of output.split("\n")) reader.read(line);
  return reader.failures;
}

function textOf(output: string): BuildFailureText {
  const text = renderBuildFailures(failuresIn(output));
  if (text === undefined) throw new Error("no derivation failed");
  return text;
}

describe("a build that fails deep below the system", () => {
  test("is reported by the source that could not be downloaded, for a real NixOS", () => {
    expect(textOf(recording("build-fails-deep.log"))).toEqual({
      clause: "bash-5.2.tar.gz: builder failed with exit code 1; 11 other derivations depend on it and could not be built",
      lines: [
        "> error:",
        `>        … writing file "/nix/store/v28dv6l0qk3j382kp40bksa1v6h7dx9p-bash-5.2.tar.gz"`,
        ">        error: unable to download 'https://ftpmirror.gnu.org/bash/bash-5.2.tar.gz': Could not resolve hostname (6) Could not resolve host: ftpmirror.gnu.org",
        "nix log /nix/store/5jrd75v747s76s16zxk59384xfcjqn58-bash-5.2.tar.gz.drv",
      ],
    });
  });

  test.each(versions)("is reported by its cause in the wording of Nix %s", (version) => {
    const { failed, more, dependents } = failuresIn(recording(`build-fails-${version}.log`));
    expect(failed).toMatchObject([{ path: bad, reason: "builder failed with exit code 3" }]);
    expect(failed[0]?.log.slice(-2)).toEqual(["line 30", "boom"]);
    expect([more, dependents]).toEqual([0, 2]);
  });

  test.each(versions)("has its log also where Nix %s prints the log as it is built", (version) => {
    const { failed } = failuresIn(recording(`build-fails-logs-${version}.log`));
    expect(failed).toMatchObject([{ path: bad, reason: "builder failed with exit code 3" }]);
    expect([failed[0]?.log.length, failed[0]?.log.at(-1)]).toEqual([20, "boom"]);
  });

  test.each(versions)("is reported by the download that failed with Nix %s", (version) => {
    const { clause, lines } = textOf(recording(`build-download-fails-${version}.log`));
    expect(clause).toBe("src.tar.gz: builder failed with exit code 1; 2 other derivations depend on it and could not be built");
    expect(lines.join("\n")).toContain("unable to download 'http://127.0.0.1:9/x'");
  });

  test.each(versions)("names each of several derivations that failed with Nix %s", (version) => {
    const { clause, lines } = textOf(recording(`build-keep-going-${version}.log`));
    expect(clause).toBe("2 derivations failed: bad, bad2; 1 other derivation depends on them and could not be built");
    expect(lines.length).toBeLessThanOrEqual(20);
    expect(lines).toEqual(
      expect.arrayContaining(["bad: builder failed with exit code 3", "> boom", `nix log ${bad}`, "bad2: builder failed with exit code 4", "> other"]),
    );
  });

  test.each(versions)("has the hashes of a mismatch with Nix %s", (version) => {
    const { clause, lines } = textOf(recording(`build-hash-mismatch-${version}.log`));
    expect(clause).toBe("mism: hash mismatch of a fixed-output derivation");
    expect(lines.slice(0, 2).map((line) => line.replaceAll(/ +/g, " "))).toEqual([
      "> specified: sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
      "> got: sha256-mOpuTyFvL7S2n/+bOkSELDhobKaF8/VdxIxdP7EQe+Q=",
    ]);
  });

  test.each(versions)("has the signal that killed a builder with Nix %s", (version) => {
    expect(failuresIn(recording(`build-killed-${version}.log`))).toMatchObject({
      failed: [{ reason: "builder failed due to signal 9 (Killed)" }],
      dependents: 1,
    });
  });
});

test("at most five of many failed derivations are kept, and the text stays within 20 lines", () => {
  const output = Array.from({ length: 300 }, (_, index) =>
    [
      `error: Cannot build '/nix/store/${String(index).padStart(32, "0")}-p${index}.drv'.`,
      "       Reason: builder failed with exit code 1.",
      ...Array.from({ length: 30 }, () => "       > no"),
    ].join("\n"),
  ).join("\n");
  expect(failuresIn(output)).toMatchObject({ failed: [{}, {}, {}, {}, {}], more: 295 });
  const { clause, lines } = textOf(output);
  expect(clause).toBe("300 derivations failed: p0, p1, p2, p3, p4 and 295 more");
  expect(lines.length).toBeLessThanOrEqual(20);
  expect(lines.at(-1)).toBe("295 more derivations failed; see the log");
});

test("what a builder prints is not taken for a failure of Nix", () => {
  const output = `tests> error: Cannot build '${bad}'.\n       > error: builder for '${bad}' failed with exit code 1;`;
  expect(failuresIn(output)).toEqual({ failed: [], more: 0, dependents: 0 });
});

test("a build that did not fail has no failures", () => {
  expect(renderBuildFailures(failuresIn("these 2 derivations will be built:\n  /nix/store/x-a.drv\nbuilding 'x'..."))).toBeUndefined();
});

test("the log of a derivation with a version is found under its name without it", () => {
  const reader = new BuildLogReader();
  const path = "/nix/store/zp64g1xl5b0qdp7wpxkh5vps437qri2i-nixos-system-web1-26.05.20260101.0000000.drv";
  for (const line of ["nixos-system-web1> no luck today", `error: Cannot build '${path}'.`, "       Reason: builder failed with exit code 1."])
    reader.read(line);
  expect(reader.failures.failed).toEqual([{ path, reason: "builder failed with exit code 1", log: ["no luck today"] }]);
});
