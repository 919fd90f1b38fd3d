import { field } from "../../../../src/domain/json.js";
import type { StepInputs } from "./files.js";

/** A machine of a kept fleet, as `targets` has it: `user@address[:port]#configuration`. */
export type KeptMachine = { readonly user: string; readonly address: string; readonly port: string; readonly configuration: string };

/** What a machine says of itself over an ssh connection that is not the action's. */
export type MachineReport = { readonly running: string; readonly profile: string; readonly greeting: string };

export function machinesOf({ targets }: StepInputs): KeptMachine[] {
  return targets.split("\n").map((target) => {
    const [, user, address, port = "22", configuration] = /^(.+)@([\d.]+)(?::(\d+))?#(.+)$/.exec(target) ?? [];
    if (user === undefined || address === undefined || configuration === undefined) throw new Error(`${target} is not user@address[:port]#configuration`);
    return { user, address, port, configuration };
  });
}

/**
 * Compares the output `results` of a step with what the machine says. Returns one sentence for each difference: the machine must
 * run what was reported, boot it the next time, and show the text of `examples/flake`.
 */
export function deploymentProblems(results: unknown, { configuration }: KeptMachine, report: MachineReport): string[] {
  const all: unknown[] = Array.isArray(results) ? results : [];
  const result = all.find((candidate) => field(candidate, "configuration") === configuration);
  const system = field(result, "system-path");
  if (typeof system !== "string" || system === "") return [`${configuration}: the results have no system-path for it`];
  const compare = (what: string, actual: string, wanted: string): string[] =>
    actual === wanted ? [] : [`${configuration}: ${what} is ${JSON.stringify(actual)}, not ${JSON.stringify(wanted)}`];
  return [
    ...compare("the running system", report.running, system),
    ...compare("the system profile", report.profile, system),
    ...compare("the text", report.greeting, `Hello from ${configuration}`),
  ];
}
