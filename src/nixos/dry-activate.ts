import { DeployError } from "../domain/errors.js";
import { lastLines } from "../domain/lines.js";
import { UnitPlanReader } from "../domain/unit-plan.js";
import type { ActivatableSystem, ActivationEnd, HostLog } from "../deploy/ports.js";
import { runJob, type CallScript } from "./job.js";
import { residentScript } from "./script-files.js";
import { activateCommand } from "./switch-command.js";
import { SwitchOutputReader } from "./switch-output.js";

type Site = { readonly run: string; readonly privileged: boolean; readonly log: HostLog; readonly call: CallScript };

/** Runs the system's own switch-to-configuration with `dry-activate`, which changes nothing. */
export async function dryActivate(system: ActivatableSystem, { run, privileged, log, call }: Site): Promise<ActivationEnd> {
  const scripts = ["switch.sh", residentScript("switch"), "activate.sh", residentScript("activate")];
  const placed = await call(() => ({ script: "place", args: [run, ...scripts], privileged }), "activate");
  if (placed.exitCode !== 0) {
    throw new DeployError({
      phase: "activate",
      reason: `the scripts of the run could not be written on the machine (exit code ${placed.exitCode})`,
      hint: "Check the free space in /run",
      lines: lastLines(placed.stderr),
      exitCode: placed.exitCode,
    });
  }
  const units = new UnitPlanReader();
  const output = new SwitchOutputReader();
  const onLine = (line: string): void => {
    units.read(line);
    output.read(line);
    log.output(line);
  };
  const command = activateCommand("dry-activate", system, false);
  const { exitCode, lines, state } = await runJob({ run, name: "activate", phase: "activate", command, privileged, onLine }, call);
  return { exitCode, end: "ended", causes: output.causes(), touched: false, lines, after: state, plan: units.plan("rehearsal") };
}
