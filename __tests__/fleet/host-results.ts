import type { StepResult } from "./rig/runner.js";

/** What the output `results` says of each machine, by its name. */
export function hostResults(run: Pick<StepResult, "outputs">): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  const parsed: unknown = JSON.parse(run.outputs["results"] ?? "");
  if (!Array.isArray(parsed)) throw new Error("the output results is no array");
  return new Map(parsed.map((result: unknown) => [nameOf(result), fieldsOf(result)]));
}

/** Statuses by name of the machine; one that is degraded has its reason with it, since no test expects that by chance. */
export function statuses(run: Pick<StepResult, "outputs">): Record<string, unknown> {
  return Object.fromEntries([...hostResults(run)].map(([name, { status, error }]) => [name, status === "degraded" ? `degraded: ${String(error)}` : status]));
}

function fieldsOf(result: unknown): Readonly<Record<string, unknown>> {
  if (typeof result !== "object" || result === null) throw new Error(`${JSON.stringify(result)} is no result`);
  return Object.fromEntries(Object.entries(result));
}

function nameOf(result: unknown): string {
  return String(fieldsOf(result)["name"]);
}
