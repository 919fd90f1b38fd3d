import type { ColdStart } from "./cold-start.js";
import { goals } from "./goals.js";
import { contenderNames } from "./contenders.js";
import { cellsOf, mediansOf, type Cell, type Run } from "./record.js";

/** Where and when it was measured. */
export type Setting = { readonly date: string; readonly machine: string; readonly commit: string; readonly quick: boolean };

/** Renders docs/benchmark.md. */
export function renderReport(runs: readonly Run[], coldStart: ColdStart, setting: Setting): string {
  const contenders = contenderNames.filter((name) => runs.some(({ contender }) => contender === name));
  return [
    "# Benchmark",
    "",
    `\`npm run bench\` wrote this page on ${setting.date} at commit ${setting.commit}, on ${setting.machine}${setting.quick ? ", with `--quick` (fewer hosts and rounds)" : ""}. Runner and machines share that computer, so figures of different days cannot be compared; the ratios within one page can.`,
    "",
    "- `recipe` is `nix flake archive --to ssh-ng://HOST`, then `ssh HOST nixos-rebuild switch`, one host after another. `xargs -P 10` runs the same for ten hosts at a time. `nix copy` builds on the runner, copies the system and switches. None of them has a rollback, a confirmation or a health check.",
    "- `this action` is `dist/index.js` with its default inputs, `rollback: false` the same without its protection.",
    "- `change` is a new system that starts no unit, `nothing` the same flake again, `restart` a change that restarts a service: the action then waits for `settle-time` (5 s by default). `source tree` is a change in a flake of 5,000 files and 16 MB, `closure` one of 16 MB that is built on the runner.",
    "- The round trip is made by a relay between runner and machines, which delays each byte and each new connection. A turn is a message of the runner after an answer of the machine.",
    "- Machines run stand-ins for NixOS's own programs, which do less than the real ones; both sides of each ratio have the same.",
    "",
    "## Seconds",
    "",
    "Medians; in brackets the ratio to the first contender of the row.",
    "",
    ...table(
      ["Work", "Hosts", "Round trip", "Runs", ...contenders],
      cellsOf(runs).map((cell) => secondsRow(runs, cell, contenders)),
    ),
    "",
    "## Per host, and the runner",
    "",
    "kB and turns are per host. CPU seconds and MB (peak, with page cache) are those of all processes of one run on the runner.",
    "",
    `The first program that the action starts begins ${coldStart.firstProgram.toFixed(0)} ms after Node; an empty program of Node takes ${coldStart.emptyProgram.toFixed(0)} ms (medians, warm caches).`,
    "",
    ...table(
      ["Work", "Hosts", "Round trip", "Contender", "kB", "Turns", "Connections", "CPU s", "MB"],
      cellsOf(runs).flatMap((cell) => contenders.flatMap((contender) => usageRow(runs, cell, contender))),
    ),
    "",
    "## Goals",
    "",
    ...table(
      ["Goal", "At most", "Measured", "Reached"],
      goals(runs, coldStart).map(({ name, most, measured }) => [name, most.toFixed(2), measured.toFixed(2), measured <= most ? "yes" : "no"]),
    ),
    "",
  ].join("\n");
}

function place({ work, hosts, roundTrip }: Cell): string[] {
  return [work, String(hosts), `${roundTrip} ms`];
}

function secondsRow(runs: readonly Run[], cell: Cell, contenders: readonly string[]): string[] {
  const all = contenders.map((contender) => mediansOf(runs, cell, contender));
  const first = all.find((medians) => medians !== undefined);
  const cells = all.map((medians) =>
    medians === undefined || first === undefined
      ? ""
      : `${medians.seconds.toFixed(2)}${medians === first ? "" : ` (${(medians.seconds / first.seconds).toFixed(2)})`}`,
  );
  return [...place(cell), String(first?.runs ?? 0), ...cells];
}

function usageRow(runs: readonly Run[], cell: Cell, contender: string): string[][] {
  const medians = mediansOf(runs, cell, contender);
  if (medians === undefined) return [];
  const { kilobytes, turns, connections, cpuSeconds, megabytes } = medians;
  return [
    [
      ...place(cell),
      contender,
      kilobytes.toFixed(0),
      turns.toFixed(0),
      connections.toFixed(1),
      cpuSeconds.toFixed(2),
      megabytes === undefined ? "unknown" : megabytes.toFixed(0),
    ],
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}
