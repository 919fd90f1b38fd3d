import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Tells whether a program is on PATH. */
export function isOnPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((directory) => directory !== "" && existsSync(join(directory, program)));
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Installs the Debian packages of the programs that are missing. Throws an `Error` that names them where that cannot be done. */
export function installMissing(packages: Readonly<Record<string, string>>): void {
  const missing = Object.entries(packages).filter(([program]) => !isOnPath(program));
  if (missing.length === 0) return;
  if (!canInstall()) throw new Error(`these programs are missing: ${missing.map(([program]) => program).join(", ")}`);
  installPackages(missing.map(([, name]) => name));
}

function canInstall(): boolean {
  return isOnPath("apt-get") && (isRoot() || isOnPath("sudo"));
}

/** Installs Debian packages. Throws an `Error` that names them where that cannot be done. */
export function installPackages(names: readonly string[]): void {
  if (!canInstall()) throw new Error(`these Debian packages are missing: ${names.join(", ")}`);
  for (const args of [
    ["update", "-q"],
    ["install", "-q", "-y", "--no-install-recommends", ...names],
  ]) {
    const [file = "", ...rest] = [...(isRoot() ? [] : ["sudo"]), "apt-get", ...args];
    const { status } = spawnSync(file, rest, { stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
    if (status !== 0) throw new Error(`apt-get ${args.join(" ")} ended with ${status}`);
  }
}

/** The beginning of a command that runs node as root. Throws an `Error` where that cannot be; `otherwise` ends its sentence. */
export function nodeAsRoot(otherwise = ""): [string, ...string[]] {
  if (isRoot()) return [process.execPath];
  if (!isOnPath("sudo")) throw new Error(`this boots real machines, which needs root: run it as root, or install sudo${otherwise}`);
  return ["sudo", "-E", process.execPath];
}
