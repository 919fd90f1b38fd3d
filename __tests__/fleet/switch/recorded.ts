import { readFileSync } from "node:fs";
import path from "node:path";

import { checkout } from "../rig/checkout.js";

/** How a switch was asked for: directly, or as `switch` of one nixos-rebuild. */
export type Way = "boot" | "bash" | "ng" | "switch" | "test";

export type Outcome = {
  /** What was printed, but for what differs from run to run. */
  readonly lines: readonly string[];
  /** `exit 4; current=new profile=old boot=old failed=bad.service lists=`: the exit code, which system runs, is in the profile and boots, failed units, and lists left in /run/nixos. */
  readonly end: string;
};

/** What NixOS's own programs printed for a scenario. Sections begin with `== test`. */
export function recorded(scenario: string, way: Way): Outcome {
  const text = readFileSync(path.join(checkout, "__tests__/unit/nixos/recorded/switch", `${scenario}.log`), "utf8");
  const section = text.split(/^== /m).find((part) => part.startsWith(`${way}\n`));
  if (section === undefined) throw new Error(`no recorded ${way} of ${scenario}`);
  // Was left on the machine by the recording's run before; no scenario has it.
  const own = section.replaceAll("stopping the following units: slow.service\n", "");
  return outcome(own.slice(way.length + 1));
}

/** Splits what a switch printed, and its last line, the end. */
export function outcome(text: string): Outcome {
  const lines = text.trimEnd().split("\n");
  const end = lines.pop() ?? "";
  return { lines: sortUsers(comparable(lines)), end };
}

// Leaves out what `systemctl status` shows of failed units, which ends with the next line of the switch or of nixos-rebuild, Nix's own lines, and store paths.
function comparable(lines: readonly string[]): string[] {
  let status = false;
  return lines
    .filter((line) => {
      if (/^[×●] /u.test(line)) status = true;
      else if (/^(Command |warning: error|nixos-rebuild-switch|switching to )/.test(line)) status = false;
      return (
        !status && line !== "" && !/^(this derivation|these \d+ derivations|building '|  \/nix\/store|warning: not writing|warning: creating lock)/.test(line)
      );
    })
    .map((line) => line.replaceAll(/\/nix\/store\/[a-z0-9]{32}-[\w.-]+/g, "/nix/store/…"));
}

// logind lists users in any order. The part of a user begins with `reloading user units for alice...` and ends with the next one, or with the restart of a target.
function sortUsers(lines: readonly string[]): string[] {
  const first = lines.findIndex((line) => line.startsWith("reloading user units for "));
  const end = lines.findIndex((line) => line.startsWith("restarting sysinit-reactivation"));
  if (first === -1 || end === -1) return [...lines];
  const users: string[][] = [];
  for (const line of lines.slice(first, end)) {
    if (line.startsWith("reloading user units for ")) users.push([]);
    users.at(-1)?.push(line);
  }
  const sorted = users.toSorted(([one = ""], [other = ""]) => one.localeCompare(other));
  return [...lines.slice(0, first), ...sorted.flat(), ...lines.slice(end)];
}
