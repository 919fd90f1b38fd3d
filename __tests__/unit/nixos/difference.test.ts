import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { root } from "../../../scripts/paths.js";
import { differenceOfBuild, mostCompared, mostInBuild, parseDifference } from "../../../src/nixos/difference.js";

/** What `difference.sh` has printed on a machine with that version of Nix, for the same two configurations. */
function recorded(nix: string): string {
  return readFileSync(join(root, `__tests__/unit/nixos/recorded/difference-${nix}.txt`), "utf8");
}

describe("what a machine reports about two systems", () => {
  test.each(["2.8.0", "2.26.3", "2.34.8"])("is read, with Nix %s", (nix) => {
    expect(parseDifference(recorded(nix))).toMatchObject({
      packages: [
        { name: "curl", before: [], after: ["8.15.0"], bytes: 512 },
        { name: "hello", before: ["2.12.1"], after: [], bytes: -512 },
        { name: "linux", before: ["6.12.50"], after: ["6.12.58"], bytes: 0 },
        { name: "nginx", before: ["1.28.0"], after: ["1.28.1"], bytes: 0 },
      ],
      rebuilt: 0,
      files: 0,
      bytes: -8,
      truncated: false,
    });
  });

  test("is nothing where both have the same paths", () => {
    expect(parseDifference("end\n")).toEqual({ packages: [], rebuilt: 0, files: 0, bytes: 0, truncated: false });
  });

  test("is incomplete where there is too much of it", () => {
    const path = "+ /nix/store/12rzaq8rndd3hdjqrmvjcfyk30zi05hp-nginx-1.28.1 1\n";
    const text = `${path.repeat(mostCompared)}end\n`;
    expect(parseDifference(text)).toMatchObject({ truncated: true, bytes: mostCompared });
  });

  test.each([
    ["an end", (text: string) => text.slice(0, text.lastIndexOf("end")), "incomplete output"],
    ["anything", () => "", "incomplete output"],
    ["a size", (text: string) => text.replace(" 512\n", "\n"), '"" is not a valid size of a path'],
    [
      "a path of the store",
      (text: string) => text.replace("/nix/store/", "/tmp/"),
      '"/tmp/h3vx9lmr1cdz03bdpxqanllymkn6x8sz-linux-6.12.50" is not a store path',
    ],
  ])("cannot be read without %s", (_, spoil, message) => {
    expect(() => parseDifference(spoil(recorded("2.34.8")))).toThrow(message);
  });
});

describe("a difference in the answer of a build", () => {
  const facts = "exit=0\nresult=/nix/store/a9lj5idk8ivji3d2krbdqapaks3nygy0-nixos-system-forky-26.05.20260101.0000000\n";

  test("is read as any other", () => {
    const text = recorded("2.34.8");
    expect(differenceOfBuild(`${facts}difference\n${text}`)).toEqual({ kind: "known", closure: parseDifference(text) });
    expect(differenceOfBuild(`${facts}difference\nwarning: a word of Nix\n${text}`)).toMatchObject({ kind: "known" });
  });

  test.each([
    ["Nix has refused", "error: no luck today\nfailed 1\n", "error: no luck today"],
    ["Nix took too long", "failed 124\n", "exit code 124"],
    ["it breaks off", recorded("2.34.8").replace("end\n", ""), "incomplete output"],
  ])("has failed where %s", (_, text, reason) => {
    expect(differenceOfBuild(`${facts}difference\n${text}`)).toEqual({ kind: "failed", reason });
  });

  test.each([
    ["nothing was compared", ""],
    ["it is long", `difference\n${"+ /nix/store/12rzaq8rndd3hdjqrmvjcfyk30zi05hp-nginx-1.28.1 1\n".repeat(mostInBuild)}end\n`],
  ])("is not known where %s", (_, text) => {
    expect(differenceOfBuild(`${facts}${text}`)).toBeUndefined();
  });
});
