import { spawnSync } from "node:child_process";
import { copyFileSync, lstatSync, mkdirSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";

import { filesOf } from "../directory-difference.js";
import { root } from "../paths.js";

/** Where a build happened, and the files of its `dist/`. */
export type Build = { readonly directory: string; readonly dist: ReadonlyMap<string, Buffer> };

// What a build must not depend on differs between the two: path, its depth, time zone, language.
const places = [
  { path: "nix-flake-deploy", environment: { TZ: "UTC", LC_ALL: "C" } },
  { path: "another/place/for/nix-flake-deploy", environment: { TZ: "Pacific/Kiritimati", LC_ALL: "C.UTF-8" } },
];

/** Builds `dist/` in two copies of the checkout below a scratch directory. Throws an `Error` where a build fails. */
export function buildTwice(scratch: string): Build[] {
  const files = trackedFiles();
  return places.map(({ path, environment }) => {
    const directory = join(scratch, path);
    copyCheckout(files, directory);
    run("npm", ["run", "--silent", "build"], directory, environment);
    return { directory, dist: filesOf(join(directory, "dist")) };
  });
}

function trackedFiles(): string[] {
  const { status, stdout, stderr } = spawnSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`git ls-files exited with ${status}: ${stderr}`);
  return stdout.split("\0").filter((path) => path !== "" && !path.startsWith("dist/"));
}

function copyCheckout(files: readonly string[], directory: string): void {
  for (const file of files) {
    const [from, to] = [join(root, file), join(directory, file)];
    const status = lstatSync(from, { throwIfNoEntry: false });
    // Deleted, and not committed yet.
    if (status === undefined) continue;
    mkdirSync(dirname(to), { recursive: true });
    if (status.isSymbolicLink()) symlinkSync(readlinkSync(from), to);
    else copyFileSync(from, to);
  }
  // Hard links cost nothing, but do not reach another file system.
  const modules = [join(root, "node_modules"), join(directory, "node_modules")];
  if (spawnSync("cp", ["-al", ...modules]).status === 0) return;
  rmSync(join(directory, "node_modules"), { recursive: true, force: true });
  run("cp", ["-a", ...modules], root);
}

function run(file: string, args: readonly string[], cwd: string, environment: Readonly<Record<string, string>> = {}): void {
  const { status, error } = spawnSync(file, args, { cwd, env: { ...process.env, ...environment }, stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) throw new Error(`${file} ${args.join(" ")} exited with ${status} in ${cwd}`, { cause: error });
}
