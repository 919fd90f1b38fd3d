import type { HostResult } from "../../src/domain/result.js";
import { storePath } from "../../src/domain/store-path.js";
import type { PhaseSpan } from "../../src/domain/timeline.js";
import { makeFlake } from "../unit/domain/make.js";
import { recordedResults } from "./recorded-results.js";

// Fifty hosts out of the nine that were recorded. What a host has of each is real: statuses, phases, errors, packages, sizes,
// units. Its name is another one, and its phases begin later: ten hosts are worked on at a time, and activations begin when all
// have built, as `max-parallel: 10` would have it.

const kinds = [
  { recorded: "web1", name: "web", count: 14 },
  { recorded: "web2", name: "app", count: 8 },
  { recorded: "db1", name: "db", count: 6 },
  { recorded: "cache1", name: "cache", count: 10 },
  { recorded: "mail1", name: "mail", count: 2 },
  { recorded: "edge1", name: "edge", count: 2 },
  { recorded: "build1", name: "build", count: 1 },
  { recorded: "log1", name: "log", count: 5 },
  { recorded: "backup1", name: "backup", count: 2 },
] as const;
const atATime = 10;
const before: ReadonlySet<PhaseSpan["phase"]> = new Set(["connect", "copy", "build"]);

/** The flake that they were deployed from, by its looks. */
export const flake = makeFlake({ revision: "87a5c7599313a98c08476438fe6967f5d64e4d5d" });

/** The results of a mixed run of fifty hosts. */
export function fiftyHosts(): HostResult[] {
  const hosts = kinds.flatMap(({ recorded, name, count }) => Array.from({ length: count }, (_, index) => renamed(resultOf(recorded), `${name}${index + 1}`)));
  const ends = (ofPreparation: boolean): number[] =>
    hosts.flatMap(({ timeline }) => timeline.filter(({ phase }) => before.has(phase) === ofPreparation).map(({ end }) => end));
  const preparation = Math.max(...ends(true));
  const activation = Math.max(...ends(false)) - preparation;
  const groups = Math.ceil(hosts.length / atATime);
  return hosts.map((host, index) => {
    const group = Math.floor(index / atATime);
    const late = { preparation: group * preparation, activation: (groups - 1) * preparation + group * activation };
    const timeline = host.timeline.map(({ phase, begin, end }) => {
      const seconds = before.has(phase) ? late.preparation : late.activation;
      return { phase, begin: begin + seconds, end: end + seconds };
    });
    return { ...host, timeline };
  });
}

function resultOf(name: string): HostResult {
  const found = recordedResults.find((result) => result.name === name);
  if (found === undefined) throw new Error(`${name} was not recorded`);
  return found;
}

function renamed(result: HostResult, name: string): HostResult {
  const rename = (text: string): string => text.replaceAll(result.name, name);
  return {
    ...result,
    name,
    target: `root@${name}.example.org`,
    configuration: name,
    systemPath: result.systemPath === undefined ? undefined : storePath(rename(result.systemPath)),
    previousSystemPath: result.previousSystemPath === undefined ? undefined : storePath(rename(result.previousSystemPath)),
    error: result.error === undefined ? undefined : { ...result.error, reason: rename(result.error.reason), lines: result.error.lines.map(rename) },
  };
}
