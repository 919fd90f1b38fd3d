import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { root } from "./paths.js";

// What is checked is the whole that runs: script-files.ts puts these in front of the scripts of the machines, and calls `main` behind
// those that are sent.
const sent = "src/nixos/remote";
const environment = `${sent}/environment.sh`;
const common = `${sent}/common.sh`;

/** The files in front of a script, and the line behind it. */
function surroundings(path: string): { readonly before: readonly string[]; readonly after: string } {
  if (path === environment) return { before: [], after: "" };
  if (path === common) return { before: [environment], after: 'main() { :; }\nmain "$@"\n' };
  if (dirname(path) === sent) return { before: [environment, common], after: 'main "$@"\n' };
  return { before: [environment], after: "" };
}

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
  if (!path.startsWith("src/nixos/")) return check(["--", path], "").map((line) => line.trim());
  const { before, after } = surroundings(path);
  const text = (file: string): string => readFileSync(join(root, file), "utf8");
  const front = `${before.map(text).join("")}${assignments(text(path))}`;
  const frontLines = front.split("\n").length - 1;
  // Not every script uses all of what is in front of it, and what is wrong there is reported once.
  const isFront = path === environment || path === common;
  return check(["--shell=sh", "-"], `${front}${text(path)}${after}`).flatMap((problem) => {
    const [, line, rest] = /^-:(\d+):(.*)$/.exec(problem) ?? [];
    if (line === undefined || rest === undefined) return [problem];
    const number = Number(line) - frontLines;
    return number < 1 || (isFront && rest.includes("[SC2034]")) ? [] : [`${path}:${number}:${rest}`];
  });
}

// Functions of environment.sh and last.sh that set the variable which they are given by its name, as shellcheck cannot know.
const setter = /\b(?:load|resolve|field) ([A-Za-z_]+) /g;

/** An assignment for each variable that a script has set by such a function, so that only the others count as never assigned. */
function assignments(script: string): string {
  return [...script.matchAll(setter)].map(([, name]) => `${name}=\n`).join("");
}

function check(args: readonly string[], input: string): string[] {
  const { status, stdout, stderr, error } = spawnSync("shellcheck", ["--format=gcc", ...args], { cwd: root, input, encoding: "utf8" });
  if (error !== undefined) throw new Error("shellcheck is missing: apt-get install shellcheck", { cause: error });
  if (status !== 0 && status !== 1) throw new Error(`shellcheck ended with ${status}: ${stderr}`);
  return stdout.split("\n").filter((line) => line !== "");
}
