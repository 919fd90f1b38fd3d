import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { root } from "./paths.js";

// The scripts that are called on machines have no shebang: common.sh stands before each of them, and `main "$@"` behind. What
// is checked is the whole that runs. The resident ones, in a folder of their own, run as they are.
const fragments = "src/nixos/remote";
const beforeFragments = `${fragments}/common.sh`;

/** All shell scripts of the checkout, committed or about to be. Throws an `Error` without git. */
export function shellScripts(): string[] {
  const { status, stdout, stderr } = spawnSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.sh", ".ci/run"], {
    cwd: root,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`git cannot list the shell scripts: ${stderr}`);
  return stdout.split("\0").filter((path) => path !== "" && !path.startsWith("dist/"));
}

/** What shellcheck has against a script, a line each: `FILE:LINE:COLUMN: …`. Throws an `Error` where there is no shellcheck. */
export function shellProblems(path: string): string[] {
  if (dirname(path) !== fragments) return check(["--", path], "").map((line) => line.trim());
  const common = readFileSync(join(root, beforeFragments), "utf8");
  const own = path === beforeFragments ? "main() { :; }\n" : readFileSync(join(root, path), "utf8");
  const problems = check(["--shell=sh", "-"], `${common}${own}main "$@"\n`);
  const commonLines = common.split("\n").length - 1;
  return problems.flatMap((problem) => {
    const [, line, rest] = /^-:(\d+):(.*)$/.exec(problem) ?? [];
    if (line === undefined || rest === undefined) return [problem];
    const number = Number(line);
    if (number > commonLines) return [`${path}:${number - commonLines}:${rest}`];
    // Not every script uses all of common.sh, and what it does wrong is told once.
    return path === beforeFragments && !rest.includes("[SC2034]") ? [`${path}:${number}:${rest}`] : [];
  });
}

function check(args: readonly string[], input: string): string[] {
  const { status, stdout, stderr, error } = spawnSync("shellcheck", ["--format=gcc", ...args], { cwd: root, input, encoding: "utf8" });
  if (error !== undefined) throw new Error("shellcheck is missing: apt-get install shellcheck", { cause: error });
  if (status !== 0 && status !== 1) throw new Error(`shellcheck ended with ${status}: ${stderr}`);
  return stdout.split("\n").filter((line) => line !== "");
}
