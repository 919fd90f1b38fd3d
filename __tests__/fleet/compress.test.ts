import { mkdirSync, writeFileSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { access, expectGreen, toplevelOf } from "./deployment.js";
import { writeFlake } from "./rig/flake.js";
import { Fleet } from "./rig/fleet.js";
import type { StepResult } from "./rig/runner.js";

const names = ["forky", "trixie", "bookworm"] as const;
let fleet: Fleet;
let flakes = 0;

beforeAll(async () => {
  fleet = await Fleet.start(names.map((suite) => ({ name: suite, suite, rebuild: suite === "bookworm" ? "bash" : "ng", systemProfile: true }) as const));
});

afterAll(async () => {
  await fleet?.stop();
});

const megabytes = 4;

/** A flake whose source tree has some megabytes of text, as sources have. With `inSystem`, its systems have them, too. */
async function largeFlake(inSystem = false): Promise<string> {
  flakes += 1;
  const directory = `${fleet.directory}/flake-${flakes}`;
  mkdirSync(`${directory}/modules`, { recursive: true });
  for (let file = 0; file < 100; file += 1) {
    const lines = Array.from({ length: (megabytes * 10_000) / 40 }, (_, line) => `  options.a${flakes}.b${file}.c${(line * 7919) % 10_007}.enable = true;`);
    writeFileSync(`${directory}/modules/${file}.nix`, `{\n${lines.join("\n")}\n}\n`);
  }
  const textPrefix = inSystem ? '"${./modules}"' : '""';
  return await writeFlake(directory, Object.fromEntries(names.map((name) => [name, {}])), { git: true, textPrefix });
}

// A user whom Nix on the machine does not trust.
const untrusted = names.map((name) => `nosudo@${name}#${name}`).join("\n");

/** Builds for all machines, and returns the bytes that each has received for that. */
async function build(workspace: string, inputs: Readonly<Record<string, string>> = {}, targets = untrusted): Promise<{ run: StepResult; bytes: number[] }> {
  const before = fleet.machines.map((machine) => machine.receivedBytes());
  const run = await fleet.runner.run({ inputs: { ...access(fleet), targets, operation: "build", ...inputs }, workspace });
  await expectGreen(run, fleet.machines);
  return { run, bytes: fleet.machines.map((machine, index) => machine.receivedBytes() - (before[index] ?? 0)) };
}

test("a large source tree travels compressed to a machine with any Nix, and only once", async () => {
  const flake = await largeFlake();
  const { run, bytes } = await build(flake);
  expect(run.log).not.toContain("copying without compression");
  for (const name of names) expect(run.log).toMatch(new RegExp(`^\\[\\d/3\\] ${name}: copied in .* \\(2 paths\\)`, "m"));
  for (const count of bytes) expect(count).toBeLessThan((megabytes * 1e6) / 3);

  const again = await build(flake);
  expect(again.run.log).toContain("already up to date");
  // What remains are the scripts.
  for (const count of again.bytes) expect(count).toBeLessThan((megabytes * 1e6) / 10);
});

test("control: without compression, every byte travels", async () => {
  const { bytes } = await build(await largeFlake(), { compress: "false" });
  for (const count of bytes) expect(count).toBeGreaterThan(megabytes * 1e6 * 0.9);
});

test("a machine that cannot take it so gets the plain copy, and the log names the reason", async () => {
  const old = fleet.machine("bookworm");
  await old.output("printf '#!/bin/sh\\necho tar: no luck today >&2; exit 2\\n' >/usr/local/bin/tar && chmod +x /usr/local/bin/tar");
  const { run } = await build(await largeFlake());
  await old.output("rm /usr/local/bin/tar");
  expect(run.log).toMatch(/^\[bookworm\] the compressed copy failed \(.*\); copying without compression$/m);
  expect(run.log).not.toMatch(/^\[forky\] the compressed copy failed/m);
});

describe("a system that the runner has built", () => {
  // Root, and two users with sudo whom Nix does not trust.
  const targets = "root@forky#forky\ndeploy@trixie#trixie\ndeploy@bookworm#bookworm";

  test("travels compressed, without a signature, and without what the machine has", async () => {
    await build(await largeFlake(true), { "build-on": "runner", compress: "true" }, targets);
    // The machines have all of the next one but what is in the flake, and one of them has that as well.
    const flake = await largeFlake(true);
    await build(flake, { "build-on": "runner", select: "trixie" }, targets);
    const { run, bytes } = await build(flake, { "build-on": "runner" }, targets);
    expect(run.log).not.toMatch(/copying without compression|importing/);
    // The tree is in the source of the flake and beside it in the system. A machine that has it receives little more than the scripts.
    const [forky, trixie, bookworm] = bytes;
    for (const count of [forky, bookworm]) expect(count).toBeGreaterThan(2 * Number(trixie));
    expect(trixie).toBeLessThan((megabytes * 1e6) / 10);
    for (const name of names) await fleet.machine(name).output(`nix-store --verify-path $(nix-store --query --requisites ${toplevelOf(run, name)})`);

    const plain = await build(await largeFlake(true), { "build-on": "runner", compress: "false" }, "root@forky#forky");
    const [all] = plain.bytes;
    expect(all).toBeGreaterThan(2 * megabytes * 1e6 * 0.9);
    for (const count of [forky, bookworm]) expect(count).toBeLessThan(Number(all) / 2);
  });

  test("is copied without compression where that is not possible, and the log names the reason", async () => {
    const old = fleet.machine("bookworm");
    await old.output("printf '#!/bin/sh\necho tar: no luck today >&2; exit 2\n' >/usr/local/bin/tar && chmod +x /usr/local/bin/tar");
    const { run } = await build(await largeFlake(true), { "build-on": "runner", compress: "true" }, targets);
    await old.output("rm /usr/local/bin/tar");
    expect(run.log).toMatch(/^\[bookworm\] the compressed copy failed \(.*\); copying without compression$/m);
    expect(run.log).not.toMatch(/^\[forky\] the compressed copy failed/m);
  });
});
