import { accessSync, constants } from "node:fs";
import path from "node:path";

/** NixOS's programs for which the rig has stand-ins. */
const programs = ["switch-to-configuration", "nixos-rebuild-ng", "nixos-rebuild-bash"] as const;

export type ActivationProgram = (typeof programs)[number];

/** Directory of the real programs on a machine. */
export const realDirectory = "/usr/local/lib/real/bin";

/**
 * Finds the real programs in `bin` of the directory that the environment variable REAL_TOOLS names; they take the place of the
 * stand-ins.
 */
export function activationTools(directory = process.env["REAL_TOOLS"]): ReadonlyMap<ActivationProgram, string> {
  if (directory === undefined || directory === "") return new Map();
  const found = programs.map((program) => [program, path.join(directory, "bin", program)] as const).filter(([, file]) => isExecutable(file));
  return new Map(found);
}

/** Says which programs are real and which are stand-ins. */
export function describeTools(real: ReadonlyMap<ActivationProgram, string>): string {
  return programs.map((program) => `${program}: ${real.get(program) ?? "stand-in"}`).join("\n");
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
