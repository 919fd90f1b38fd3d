import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { field } from "../src/domain/json.js";
import { root } from "./paths.js";
import { installRenderer } from "./rendered-page.js";
import { installMissing, nodeAsRoot } from "./system-packages.js";

// Runs the suites that are named (unit, page, fleet, matrix, faults, real) one after the other, and closes with the sum of their counts.
// Arguments: SUITE... [-- JEST-ARGUMENT...]. Exit codes: 0, 1 when a test failed or could not be run.

type Counts = { passed: number; failed: number; skipped: number };

// These boot machines, and need root.
const boots = new Set(["fleet", "matrix", "faults", "real"]);

const separator = process.argv.indexOf("--", 2);
const suites = process.argv.slice(2, separator === -1 ? undefined : separator);
const jestArgs = separator === -1 ? [] : process.argv.slice(separator + 1);
if (suites.includes("unit")) installMissing({ git: "git", "ssh-keygen": "openssh-client", shellcheck: "shellcheck", dash: "dash", jq: "jq" });
if (suites.includes("page")) installRenderer();
if (suites.includes("faults")) installMissing({ faketime: "faketime" });
const scratch = mkdtempSync(join(tmpdir(), "nix-flake-deploy-tests-"));
try {
  const counts = suites.map(run);
  const sum = (pick: (suite: Counts) => number): number => counts.reduce((total, suite) => total + pick(suite), 0);
  const failed = sum((suite) => suite.failed);
  const skipped = sum((suite) => suite.skipped);
  process.stdout.write(`\n${sum((suite) => suite.passed)} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}\n`);
  if (failed > 0) process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function run(suite: string): Counts {
  const report = join(scratch, `${suite}.json`);
  const jest = ["--experimental-vm-modules", "--no-warnings", join(root, "node_modules/jest/bin/jest.js")];
  const args = [...jest, "--config", join(root, `jest.${suite}.config.js`), "--json", `--outputFile=${report}`, ...leftOut(suite), ...jestArgs];
  const [file, ...prefix] = boots.has(suite) ? nodeAsRoot(" (npm run test:unit needs neither)") : [process.execPath];
  const { status } = spawnSync(file, [...prefix, ...args], { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (!existsSync(report)) {
    process.stderr.write(`the ${suite} tests did not run (exit code ${status})\n`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const counts = readReport(readFileSync(report, "utf8"));
  // Jest ends badly for more than a failed test, a global teardown for one.
  return status !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/** The activation suite belongs to the real tests where REAL_TOOLS has the programs of an activation. */
function leftOut(suite: string): string[] {
  const directory = process.env["REAL_TOOLS"] ?? "";
  return suite !== "real" || (directory !== "" && existsSync(join(directory, "bin"))) ? [] : ["--testPathIgnorePatterns=/fleet/(safety|switch)/"];
}

/** Reads what `jest --json` writes. A file that could not be run at all counts as one failure. */
function readReport(json: string): Counts {
  const report: unknown = JSON.parse(json);
  const count = (name: string): number => {
    const value = field(report, name);
    if (typeof value !== "number") throw new Error(`jest's report has no ${name}`);
    return value;
  };
  return {
    passed: count("numPassedTests"),
    failed: count("numFailedTests") + count("numRuntimeErrorTestSuites"),
    skipped: count("numPendingTests") + count("numTodoTests"),
  };
}
