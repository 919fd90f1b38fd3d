import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { fingerprint, knownHostsLine, knownHostsProblems, parseOfferedKeys, type OfferedKey } from "../../../src/ssh/host-key.js";
import { temporaryDirectory } from "../temporary.js";
import { makeKey } from "./keys.js";

const directory = temporaryDirectory();
const recorder = new URL("../../../src/ssh/record-host-key.sh", import.meta.url).pathname;

function offeredKey(host: string, publicKey: string): OfferedKey {
  const [type = "", key = ""] = publicKey.split(" ");
  return { host, type, key };
}

describe("fingerprint", () => {
  test.each(["ed25519", "rsa", "ecdsa"] as const)("is the one of ssh-keygen -l for %s", (type) => {
    const key = makeKey({ type });
    expect(key.fingerprint).toMatch(/^SHA256:.{43}$/);
    expect(fingerprint(offeredKey("web1", key.public))).toBe(key.fingerprint);
  });
});

describe("the keys that were offered", () => {
  test.each(["dash", "bash"])("come back as record-host-key.sh wrote them under %s", (shell) => {
    const file = join(directory, shell);
    const ed25519 = offeredKey("web1", makeKey().public);
    const ecdsa = offeredKey("[2001:db8::7]:2222", makeKey({ type: "ecdsa" }).public);
    for (const { host, type, key } of [ed25519, ecdsa]) expect(execFileSync(shell, [recorder, file, host, type, key], { encoding: "utf8" })).toBe("");
    expect(parseOfferedKeys(readFileSync(file, "utf8"))).toEqual([ed25519, ecdsa]);
  });

  test.each(["dash", "bash"])("are none while ssh has not seen one, under %s", (shell) => {
    const file = join(directory, `${shell}-none`);
    execFileSync(shell, [recorder, file, "web1", "NONE", "NONE"]);
    execFileSync(shell, [recorder, file, "web1", "ssh-ed25519", ""]);
    execFileSync(shell, [recorder, file]);
    expect(existsSync(file)).toBe(false);
  });

  test.each(["dash", "bash"])("are nobody's trouble where they cannot be written, under %s", (shell) => {
    const { status, stdout, stderr } = spawnSync(shell, [recorder, join(directory, "no/such/place"), "web1", "ssh-ed25519", "AAAA"], { encoding: "utf8" });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  test("are not taken from other lines", () => {
    expect(parseOfferedKeys("\nweb1 ssh-ed25519\nweb1 ssh-ed25519 BBBB\nweb1 ssh-ed25519 AAAAC3 x\nweb1 NONE NONE\n")).toEqual([]);
  });

  test("make lines that ssh finds", () => {
    expect(knownHostsLine({ host: "[web1]:2222", type: "ssh-ed25519", key: "AAAAC3" })).toBe("[web1]:2222 ssh-ed25519 AAAAC3");
  });
});

describe("knownHostsProblems", () => {
  const key = makeKey().public.trim();
  test.each([
    ["a plain line", `web1 ${key}`],
    ["several names", `web1,192.0.2.7,[web1]:2222 ${key}`],
    ["a hashed name", `|1|JfKTdBh7rNbXkVAQCRp4OQoPfmI=|USECr3SWf1JUPsms5AqfD5QfxkM= ${key}`],
    ["an authority", `@cert-authority *.example.org ${key}`],
    ["a revoked key", `@revoked * ${key}`],
    ["comments and empty lines", `# web1:22 SSH-2.0-OpenSSH_9.9\n\n  \nweb1 ${key}\n  # end`],
    ["blanks and tabs between", `  web1\t${key.replace(" ", "\t")}  a comment`],
    ["nothing", ""],
  ])("takes %s", (_, text) => {
    expect(knownHostsProblems(text)).toEqual([]);
  });

  const bad = (line: number): string => `line ${line} is not a known_hosts line (host, key type and key, as printed by \`ssh-keyscan host\`)`;
  test.each([
    ["a host alone", "web1", [bad(1)]],
    ["a public key without its host", key.split(" ").slice(0, 2).join(" "), [bad(1)]],
    ["a fingerprint", "web1 ED25519 SHA256:abc", [bad(1)]],
    ["a marker without what belongs to it", "@revoked web1 ssh-ed25519", [bad(1)]],
    ["each bad line", `# first\nweb1\nweb2 ${key}\nweb3 ssh-ed25519 none`, [bad(2), bad(4)]],
    ["a private key", `web1 ${key}\n${makeKey().secret}`, ["line 2 is part of a private key"]],
  ])("refuses %s", (_, text, problems) => {
    expect(knownHostsProblems(text)).toEqual(problems);
  });
});
