import { spawnSync } from "node:child_process";

import { expect, test } from "@jest/globals";

const module = new URL("../../../src/entry/start.js", import.meta.url).href;

/** Starts an entry point in a process of its own. */
function started(run: string): { status: number | null; stderr: string } {
  const script = `import { start } from ${JSON.stringify(module)};\nawait start(${run});`;
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8", timeout: 20_000 });
  return { status, stderr };
}

test("the process ends with the exit code of the entry point, whatever still holds it open", () => {
  expect(started("async () => { setInterval(() => undefined, 1000); return 3; }").status).toBe(3);
});

test("an entry point that throws ends the process with its stack, and not with 0", () => {
  const { status, stderr } = started('async () => { throw new Error("a fault of ours"); }');
  expect(status).toBe(1);
  expect(stderr).toContain("Error: a fault of ours\n    at ");
});

test("the environment is read once, and programs are started with the same variables", () => {
  // Node makes a text of what is written to the environment itself.
  expect(started("async () => { process.env.NUMBER = 3; return process.env.NUMBER === 3 ? 7 : 1; }").status).toBe(7);
  const compare = `async () => {
    const { spawnSync } = await import("node:child_process");
    const { stdout } = spawnSync("env", ["-0"], { encoding: "utf8" });
    const { readFileSync } = await import("node:fs");
    return stdout === readFileSync("/proc/self/environ", "utf8") ? 7 : 1;
  }`;
  expect(started(compare).status).toBe(7);
});

test("reading the code of the action makes no object of Intl, which takes a third of the start", () => {
  const code = JSON.stringify(new URL("../../../src/entry/index.js", import.meta.url).href);
  const refuse = `for (const name of ["Collator", "DateTimeFormat", "NumberFormat", "PluralRules", "Segmenter"])
    Intl[name] = class { constructor() { throw new Error(name + " at the start"); } };`;
  const reads = (imported: string): number | null =>
    spawnSync(process.execPath, ["--input-type=module", "-e", `${refuse}\nawait import(${imported});`], { encoding: "utf8", timeout: 20_000 }).status;
  expect(reads(code)).toBe(0);
  expect(reads(JSON.stringify("data:text/javascript,new Intl.Collator()"))).toBe(1);
});
