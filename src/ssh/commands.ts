import type { Target } from "../domain/target.js";
import type { Command } from "../process/run.js";
import type { TargetFiles } from "./configuration.js";

/** Where a master listens; `configured`: as the configuration says. */
export type MasterFiles = Pick<TargetFiles, "configuration" | "socket"> & { readonly configured: boolean };

/** Builds the command that starts a master in the background and ends when it is ready. */
export function masterCommand(files: MasterFiles, target: Target, connectTimeout: number): Command {
  return { file: "ssh", args: [...placeOf(files), "-o", "ControlMaster=yes", "-o", `ConnectTimeout=${connectTimeout}`, "-f", "-N", "--", target.host] };
}

/** Builds the command that connects without a master, to hear why none could be started. */
export function reasonCommand(files: Pick<TargetFiles, "configuration">, target: Target): Command {
  return { file: "ssh", args: ["-F", files.configuration, "-o", "ControlPath=none", "-o", "ControlPersist=no", "--", target.host, "exit"] };
}

/** Builds the command that runs something on the machine. */
export function sessionCommand(files: MasterFiles, target: Target, command: string): Command {
  return { file: "ssh", args: [...placeOf(files), "--", target.host, command] };
}

function placeOf({ configuration, socket, configured }: MasterFiles): string[] {
  return ["-F", configuration, ...(configured ? [] : ["-o", `ControlPath=${socket}`])];
}
