import { InputError, type InputProblem } from "../domain/errors.js";
import { selectTargets } from "../domain/inventory.js";
import type { MatrixMachine } from "../domain/matrix.js";
import type { Selection } from "../domain/selection.js";
import { checkUser, completeTargets } from "../domain/target.js";
import type { Topic } from "../domain/topic.js";
import { collect, parseFlakeReference, parseSelectionInput, parseTargetsInput, type Refuse } from "./single-inputs.js";
import { holdsPrivateKey, misplacedKey } from "./misplaced-secrets.js";

/** The inputs that all companion actions have, by their names in `action.yml`. */
export const companionInputNames = ["flake", "targets", "select", "changed-since", "ssh-user", "ssh-port"] as const;

type CompanionInputName = (typeof companionInputNames)[number];

/** The inputs that all companion actions have, checked. */
export type CompanionInputs = {
  readonly flake: string;
  /** Those that are selected of explicit targets. Empty where the flake itself is to say where its machines are. */
  readonly targets: readonly MatrixMachine[];
  readonly selection: Selection;
  /** A Git revision. */
  readonly changedSince: string | undefined;
  /** What is filled in where a machine names none; open where the action that deploys is to say. */
  readonly user: string | undefined;
  readonly port: number | undefined;
};

/** What the inputs of one companion action are read with. */
export type CompanionReading<Name extends string> = {
  readonly read: (name: Name | CompanionInputName) => string;
  /** Takes what is wrong with an input. */
  readonly refusing: (input: Name | CompanionInputName) => Refuse;
  /** Parses a number from 1 to `maximum`, or nothing. */
  readonly number: (name: Name | CompanionInputName, maximum: number) => number | undefined;
};

/**
 * Parses the inputs of a companion action as `parseInputs` does those of the main action: those that all have, and with
 * `own` those of `names` that it has alone. Throws an `InputError` that names every bad one.
 */
export function parseCompanionInputs<Name extends string, Own extends object>(
  names: readonly Name[],
  read: (name: Name | CompanionInputName) => string,
  own: (reading: CompanionReading<Name>, inputs: CompanionInputs) => Own,
): CompanionInputs & Own {
  const problems: InputProblem[] = [];
  const refusing =
    (input: Name | CompanionInputName) =>
    (problem: string, topic?: Topic): void => {
      problems.push({ input, problem, topic });
    };
  const trimmed = (name: Name | CompanionInputName): string | undefined => read(name).trim() || undefined;
  const number = (name: Name | CompanionInputName, maximum: number): number | undefined => {
    const text = trimmed(name);
    if (text === undefined) return undefined;
    const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
    if (value >= 1 && value <= maximum) return value;
    refusing(name)(`${JSON.stringify(text.slice(0, 100))} is not valid; expected a whole number from 1 to ${maximum}, or nothing`);
    return undefined;
  };
  const user = trimmed("ssh-user");
  if (user !== undefined) collect(() => checkUser(user), refusing("ssh-user"));
  const port = number("ssh-port", 65_535);
  const selection = parseSelectionInput(read("select"), refusing("select"));
  const inputs: CompanionInputs = {
    flake: parseFlakeReference(trimmed("flake") ?? "", refusing("flake")),
    targets: parseExplicit(read("targets"), selection, port ?? 22, refusing),
    selection,
    changedSince: parseRevision(trimmed("changed-since"), refusing("changed-since")),
    user,
    port,
  };
  const all = { ...inputs, ...own({ read, refusing, number }, inputs) };
  const misplaced = [...companionInputNames, ...names].filter((name) => holdsPrivateKey(read(name), ""));
  if (misplaced.length > 0) throw new InputError(misplaced.map((input) => ({ input, problem: misplacedKey, topic: "misplaced-key" })));
  if (problems.length > 0) throw new InputError(problems);
  return all;
}

function parseExplicit(text: string, selection: Selection, port: number, refusing: (input: "targets" | "select") => Refuse): MatrixMachine[] {
  const requests = parseTargetsInput(text, refusing("targets"));
  let machines: MatrixMachine[] = [];
  collect(() => {
    // Only for the names, and to find a machine that is listed twice.
    const targets = completeTargets(requests, { user: "", port });
    machines = requests.map((request, index) => ({ name: targets[index]?.name ?? "", request, system: undefined, tags: [] }));
  }, refusing("targets"));
  const looks = machines.map((machine) => ({ machine, name: machine.name, configuration: machine.request.configuration }));
  const { chosen, unmatched } = machines.length === 0 ? { chosen: looks, unmatched: undefined } : selectTargets(looks, selection);
  if (unmatched !== undefined) refusing("select")(unmatched, "selection-unmatched");
  return chosen.map(({ machine }) => machine);
}

function parseRevision(text: string | undefined, refuse: (problem: string) => void): string | undefined {
  if (text !== undefined && !/^[^\s\p{C}-][^\s\p{C}]*$/u.test(text)) {
    refuse(`${JSON.stringify(text.slice(0, 100))} is not valid; expected a Git revision, for example \${{ github.event.before }}`);
  }
  return text;
}
