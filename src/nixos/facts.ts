import { DeployError } from "../domain/errors.js";
import { optionalStorePath } from "../domain/store-path.js";
import type { Generation, MachineFacts, SystemState } from "../deploy/ports.js";

/** Reads the lines `key=value` of a script. */
export function parseFacts(text: string): ReadonlyMap<string, string> {
  const facts = new Map<string, string>();
  for (const line of text.split("\n")) {
    const equals = line.indexOf("=");
    if (equals > 0) facts.set(line.slice(0, equals), line.slice(equals + 1).trimEnd());
  }
  return facts;
}

/** Reads what `system_state` of `common.sh` prints. Throws an `Error` for a store path that is none. */
export function systemState(facts: ReadonlyMap<string, string>): SystemState {
  const generation = facts.get("generation") ?? "";
  return {
    running: storePathOf(facts.get("running")),
    booted: storePathOf(facts.get("booted")),
    profile: storePathOf(facts.get("profile")),
    generation: /^\d+$/.test(generation) ? Number(generation) : undefined,
    bootId: facts.get("boot-id") ?? "",
    failedUnits: wordsOf(facts.get("failed-units")),
    restartingUnits: wordsOf(facts.get("restarting-units")),
    rebootNeeded: facts.get("reboot-needed") === "yes",
  };
}

/** The words of a fact. */
export function wordsOf(text: string | undefined): string[] {
  return (text ?? "").split(" ").filter((word) => word !== "");
}

// A system outside the store (an installer, a container's first start) is one that cannot be named, not an error.
function storePathOf(text: string | undefined): ReturnType<typeof optionalStorePath> {
  return text?.startsWith("/nix/store/") === true ? optionalStorePath(text) : undefined;
}

function olderGeneration(facts: ReadonlyMap<string, string>): Generation | undefined {
  const toplevel = storePathOf(facts.get("older"));
  const number = Number(facts.get("older-generation") || Number.NaN);
  return toplevel === undefined || Number.isNaN(number) ? undefined : { number, toplevel };
}

/**
 * What a machine answers alike by whatever name it is reached, and no other one does: the boot id of its kernel, the namespace of
 * processes that tells the containers of one kernel apart, and the machine's own id. `undefined` where it has no boot id.
 */
function identityOf(facts: ReadonlyMap<string, string>): string | undefined {
  const [boot, ...others] = ["boot-id", "pid-namespace", "machine-id"].map((key) => facts.get(key) ?? "");
  return boot === undefined || boot === "" ? undefined : [boot, ...others].join(" ");
}

/** What the scripts need to know of a machine beside what the deployment asks for; `sudoSays` is why sudo refuses. */
export type Access = {
  readonly user: string;
  readonly root: boolean;
  readonly sudo: "unneeded" | "missing" | "ready" | "refused";
  readonly sudoSays?: string | undefined;
  readonly doas: "missing" | "ready" | "refused";
  readonly run0: "missing" | "present";
};

/** What the way in which a machine gets its system needs of it. */
export type Needs = {
  /** The machine's own nixos-rebuild is to run. */
  readonly needsRebuild: boolean;
};

/**
 * Reads what `facts.sh` prints. Throws a `DeployError` of the phase connect for a machine that lacks Nix or systemd, or nixos-rebuild
 * where that is to run.
 */
export function machineFacts(text: string, { needsRebuild }: Needs): { readonly facts: MachineFacts; readonly access: Access } {
  const facts = parseFacts(text);
  const missing = (reason: string, hint: string): DeployError => new DeployError({ phase: "connect", reason, hint });
  // Lix prints further lines, which name no fact.
  const nix = facts.get("nix") ?? "";
  if (!/\d/.test(nix)) throw missing("there is no nix on the machine", "Is it NixOS? `nix --version` must work in a non-interactive ssh session");
  if (needsRebuild && (facts.get("nixos-rebuild") ?? "") === "") {
    throw missing(
      "there is no nixos-rebuild on the machine",
      "Is it NixOS? On NixOS with system.disableInstallerTools set, add nixos-rebuild to environment.systemPackages, or evaluate on the runner (build-on: runner, or evaluate-on: runner), which needs none",
    );
  }
  if (!/^\d+$/.test(facts.get("systemd") ?? "")) throw missing("systemd does not run on the machine", "Is it NixOS?");
  if (facts.get("nixos") !== "yes") {
    throw missing(
      "the machine does not run a NixOS system: /run/current-system is missing",
      "Install NixOS on it first (nixos-install, nixos-anywhere), and boot it",
    );
  }
  const kibibytes = (key: string): number | undefined => {
    const value = facts.get(key) ?? "";
    return /^\d+$/.test(value) ? Number(value) : undefined;
  };
  const sudo = facts.get("sudo");
  const doas = facts.get("doas");
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
      run0: facts.get("run0") === "present" ? "present" : "missing",
    },
  };
}
