import { DeployError } from "../domain/errors.js";
import { lastLines } from "../domain/lines.js";
import type { StorePath } from "../domain/store-path.js";
import { parseFacts, storePathOf, wordsOf } from "./facts.js";
import type { CallScript } from "./job.js";

/** Finds a specialisation of a system on its machine. Throws a `DeployError` of the phase build that lists the available ones. */
export async function findSpecialisation(toplevel: StorePath, name: string, call: CallScript): Promise<StorePath> {
  const end = await call(() => ({ script: "specialisation", args: [toplevel, name], privileged: false }), "build");
  const facts = parseFacts(end.stdout);
  const system = storePathOf(facts, "system");
  if (end.exitCode === 0 && system !== undefined) return system;
  const names = wordsOf(facts.get("available")).slice(0, 50);
  throw new DeployError({
    phase: "build",
    reason: `the system has no specialisation ${name}${names.length === 0 ? "; it defines none" : `; it defines ${names.join(", ")}`}`,
    hint: "Nothing has changed on the machine. Correct the input specialisation",
    topic: "specialisation-missing",
    lines: lastLines(end.stderr),
    exitCode: 1,
  });
}
