import { renderCopying, type CopyProgress } from "../domain/copy-progress.js";
import { renderDuration } from "../domain/duration.js";
import { listed } from "../domain/listed.js";
import type { Phase } from "../domain/phase.js";
import { isFailure, type HostResult } from "../domain/result.js";

// Names that a line has for a phase.
const mostNamed = 5;

const ended: Record<Phase, string> = {
  connect: "connected",
  copy: "copied",
  build: "built",
  activate: "activated",
  confirm: "confirmed",
  rollback: "rolled back",
};

const going: Record<Phase, string> = {
  connect: "connecting",
  copy: "copying",
  build: "building",
  activate: "activating",
  confirm: "confirming",
  rollback: "rolling back",
};

/** Where a host is in its work. */
export type HostPlace = {
  readonly name: string;
  readonly phase: Phase;
  /** Seconds since the phase began. */
  readonly seconds: number;
  /** The phase has ended, and no other has begun yet. */
  readonly over: boolean;
  readonly copied: CopyProgress | undefined;
};

/** `web1: built in 12 s (3 paths)` */
export function endedLine({ name, phase, seconds }: HostPlace, detail: string | undefined): string {
  return `${name}: ${ended[phase]} in ${renderDuration(seconds)}${detail === undefined ? "" : ` (${detail})`}`;
}

/** `batch 1 of 3: web1, web2 and 4 more` */
export function batchLine(number: number, batches: number, names: readonly string[]): string {
  return `batch ${number} of ${batches}: ${listed(names, mostNamed)}`;
}

/** `web1: deployed after 12.5 s` */
export function doneLine({ name, status, seconds }: HostResult): string {
  return `${name}: ${status} after ${renderDuration(seconds)}`;
}

/** The title of a host's whole log. */
export function doneTitle({ name, status }: HostResult): string {
  return `${isFailure(status) ? "✗" : "✓"} ${name}: ${status}`;
}

/** `running for 2 min 3 s: building web1 (40 s), web2 (38 s)`; `undefined` where no host is in a phase. */
export function workLine(places: readonly HostPlace[], seconds: number): string | undefined {
  const parts = Object.entries(going).flatMap(([phase, word]) => {
    const here = places.filter((place) => place.phase === phase && !place.over);
    return here.length === 0
      ? []
      : [
          `${word} ${listed(
            here.map((place) => `${place.name} (${howFar(place)})`),
            mostNamed,
          )}`,
        ];
  });
  return parts.length === 0 ? undefined : `running for ${renderDuration(seconds)}: ${parts.join("; ")}`;
}

/** Which machine is in which phase, one per line, for a run that ends before they do. */
export function runningHostsText(places: readonly HostPlace[]): string {
  if (places.length === 0) return "No host was in progress.";
  const lines = places.map(
    ({ name, phase, over }) => `${name}: ${over ? ended[phase] : phase}${phase === "activate" ? " (the activation is still running on the machine)" : ""}`,
  );
  return ["Hosts in progress, with their phase:", ...lines].join("\n");
}

function howFar({ seconds, copied }: HostPlace): string {
  return copied === undefined ? renderDuration(seconds) : `${renderDuration(seconds)}, ${renderCopying(copied)}`;
}
