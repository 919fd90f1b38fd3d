import { AnswerError, DeployError } from "../domain/errors.js";
import { isStorePath, type StorePath } from "../domain/store-path.js";
import type { Topic } from "../domain/topic.js";
import type { Generation, MachineFacts, SystemState } from "../deploy/ports.js";

// Characters of a fact that is no list, and of one that is; common.sh prints no longer ones.
const longestFact = 1000;
const longestList = 1_000_000;
const lists: ReadonlySet<string> = new Set(["failed-units", "restarting-units", "available"]);

/** Parses the lines `key=value` of a script; a fact that is too long is cut. */
export function parseFacts(text: string): ReadonlyMap<string, string> {
  const facts = new Map<string, string>();
  for (const line of text.split("\n")) {
    const equals = line.indexOf("=");
    if (equals <= 0) continue;
    const key = line.slice(0, equals);
    facts.set(key, line.slice(equals + 1, equals + 1 + (lists.has(key) ? longestList : longestFact)).trimEnd());
  }
  return facts;
}

/** Parses what `system_state` of `common.sh` prints. Throws an `AnswerError` for an invalid store path. */
export function systemState(facts: ReadonlyMap<string, string>): SystemState {
  const generation = facts.get("generation") ?? "";
  return {
    running: storePathOf(facts, "running"),
    booted: storePathOf(facts, "booted"),
    profile: storePathOf(facts, "profile"),
    generation: generationNumber.test(generation) ? Number(generation) : undefined,
    bootId: facts.get("boot-id") ?? "",
    failedUnits: wordsOf(facts.get("failed-units")),
    restartingUnits: wordsOf(facts.get("restarting-units")),
    rebootNeeded: facts.get("reboot-needed") === "yes",
  };
}

// As the files of Nix's profiles are numbered: at most nine digits are one.
const generationNumber = /^\d{1,9}$/;

// Words of a list, and characters of a word: a unit's name has at most 255 (systemd.unit(5)).
const mostWords = 10_000;
const longestWord = 255;

/** The words of a fact, of which longer ones than systemd has for units are left out. */
export function wordsOf(text: string | undefined): string[] {
  const words = (text ?? "").split(" ").filter((word) => word !== "" && word.length <= longestWord);
  return words.slice(0, mostWords);
}

/**
 * The store path that a fact names. A path outside the store (an installer, a container's first start) is one that cannot be named,
 * not an error. Throws an `AnswerError` for one below it that is no store path.
 */
export function storePathOf(facts: ReadonlyMap<string, string>, key: string): StorePath | undefined {
  const text = facts.get(key) ?? "";
  if (!text.startsWith("/nix/store/")) return undefined;
  if (!isStorePath(text)) throw new AnswerError(`${key} is ${JSON.stringify(text.slice(0, 300))}, which is not a path of the Nix store`);
  return text;
}

function olderGeneration(facts: ReadonlyMap<string, string>): Generation | undefined {
  const toplevel = storePathOf(facts, "older");
  const number = facts.get("older-generation") ?? "";
  return toplevel === undefined || !generationNumber.test(number) ? undefined : { number: Number(number), toplevel };
}

/**
 * Identifies a machine whatever name it is reached by: the boot id of its kernel, the PID namespace, which distinguishes the
 * containers of one kernel, and the machine id. `undefined` where it has no boot id.
 */
function identityOf(facts: ReadonlyMap<string, string>): string | undefined {
  const [boot, ...others] = ["boot-id", "pid-namespace", "machine-id"].map((key) => facts.get(key) ?? "");
  return boot === undefined || boot === "" ? undefined : [boot, ...others].join(" ");
}

/** How the user can become root on a machine; `sudoSays` is why sudo refuses. */
export type Access = {
  readonly user: string;
  readonly root: boolean;
  readonly sudo: "unneeded" | "missing" | "ready" | "refused";
  readonly sudoSays?: string | undefined;
  readonly doas: "missing" | "ready" | "refused";
  /** `lightweight` where it starts no user manager for root unless it is told to. */
  readonly run0: "missing" | "present" | "lightweight";
};

/** What the way in which a machine gets its system needs of it. */
export type Needs = {
  /** The machine's own nixos-rebuild is to run. */
  readonly needsRebuild: boolean;
};

/**
 * Parses what `facts.sh` or `enter.sh` prints. Throws a `DeployError` of the phase connect for a machine that lacks Nix or systemd, or nixos-rebuild
 * where that is to run.
 */
export function machineFacts(
  text: string,
  { needsRebuild }: Needs,
): {
  readonly facts: MachineFacts;
  readonly access: Access;
  /** The machine has gzip and base64. */
  readonly inflates: boolean;
  /** The run has its files there. */
  readonly prepared: boolean;
} {
  const facts = parseFacts(text);
  const missing = (reason: string, hint: string, topic?: Topic): DeployError => new DeployError({ phase: "connect", reason, hint, topic });
  // Lix prints more lines, which are not facts.
  const nix = facts.get("nix") ?? "";
  if (!/\d/.test(nix))
    throw missing(
      "nix was not found on the machine",
      "Check that the machine runs NixOS; `nix --version` must work in a non-interactive ssh session",
      "nix-missing",
    );
  if (needsRebuild && (facts.get("nixos-rebuild") ?? "") === "") {
    throw missing(
      "nixos-rebuild was not found on the machine",
      "Check that the machine runs NixOS; with system.disableInstallerTools, add nixos-rebuild to environment.systemPackages, or evaluate on the runner (evaluate-on: runner, or build-on: runner)",
      "nixos-rebuild-missing",
    );
  }
  if (!/^\d+$/.test(facts.get("systemd") ?? "")) throw missing("systemd is not running on the machine", "Check that the machine runs NixOS");
  if (facts.get("nixos") !== "yes") {
    throw missing("the machine does not run NixOS: /run/current-system is missing", "Install NixOS on it first (nixos-install, nixos-anywhere) and boot it");
  }
  const kibibytes = (key: string): number | undefined => {
    const value = facts.get(key) ?? "";
    return /^\d{1,15}$/.test(value) ? Number(value) : undefined;
  };
  const sudo = facts.get("sudo");
  const doas = facts.get("doas");
  const run0 = facts.get("run0");
  return {
    facts: {
      hostname: facts.get("hostname") ?? "",
      nix,
      freeKibibytes: kibibytes("free-kib"),
      memoryKibibytes: kibibytes("memory-kib"),
      state: systemState(facts),
      olderGeneration: olderGeneration(facts),
      unfinished: facts.get("unfinished") || undefined,
      specialisation: facts.get("specialisation") || undefined,
      identity: identityOf(facts),
    },
    access: {
      user: facts.get("user") ?? "",
      root: facts.get("uid") === "0",
      sudo: sudo === "unneeded" || sudo === "missing" || sudo === "ready" ? sudo : "refused",
      sudoSays: facts.get("sudo-says"),
      doas: doas === "ready" || doas === "refused" ? doas : "missing",
      run0: run0 === "present" || run0 === "lightweight" ? run0 : "missing",
    },
    inflates: facts.get("inflates") === "yes",
    prepared: facts.get("prepared") === "0",
  };
}
