import type { Choice, SettingWish, WishedInput } from "../domain/inventory.js";
import { listed, listedLines } from "../domain/listed.js";
import type { Annotation } from "./annotations.js";

/** The lines of the log that say what was chosen of a flake's machines. */
export function choiceLines({ machines, unusable, others }: Choice): string[] {
  const count = machines.length + unusable.length;
  const heading = `targets is empty: using ${count} ${count === 1 ? "host" : "hosts"} from the flake`;
  return [
    `${heading}${machines.length === 0 ? "" : `: ${machines.map(({ name }) => name).join(", ")}`}`,
    ...unusable.map(({ name }) => `${name} cannot be deployed and counts as failed`),
    ...others.map(({ name, reason }) => `${name} is excluded: ${reason}`),
  ];
}

const mostIgnored = 30;
const mostNamed = 10;

const withoutEffect = "Settings in the flake without effect";

/** The warning about profiles of deploy-rs with a script of their own to activate them; none where there are none. */
export function activationWarnings(profiles: readonly string[]): Annotation[] {
  if (profiles.length === 0) return [];
  const names = listed(profiles, mostNamed);
  return [{ title: withoutEffect, message: `${names}: the script that activates profiles.system is not run; the system in it is switched to as NixOS does` }];
}

/** The values of inputs that decide for all machines; without them, another job has those inputs. */
export type GivenInputs = Readonly<Record<WishedInput, string>>;

/** The warning about settings of the flake without effect, one per line with the machines that have it; none where there are none. */
export function choiceWarnings({ machines }: Choice, given?: GivenInputs): Annotation[] {
  const names = new Map<string, string[]>();
  for (const { name, ignored, wishes = [] } of machines) {
    for (const sentence of [...ignored, ...wishes.flatMap((wish) => unfulfilled(wish, given))]) names.set(sentence, [...(names.get(sentence) ?? []), name]);
  }
  if (names.size === 0) return [];
  const lines = [...names].map(([sentence, having]) => `${listed(having, mostNamed)}: ${sentence}`);
  return [{ title: withoutEffect, message: listedLines(lines, mostIgnored).join("\n") }];
}

function unfulfilled({ setting, input, agrees, advice }: SettingWish, given: GivenInputs | undefined): string[] {
  if (given === undefined) return [`${setting} is not passed on; the input ${input} decides. ${advice} in the job that deploys`];
  const value = given[input];
  return agrees.includes(value) ? [] : [`${setting} has no effect; the input ${input} decides, and is ${value}. ${advice}`];
}
