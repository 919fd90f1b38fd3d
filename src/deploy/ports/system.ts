import type { ClosureDifference } from "../../domain/closure-difference.js";
import type { CopyProgress } from "../../domain/copy-progress.js";
import type { StorePath } from "../../domain/store-path.js";
import type { UnitPlan } from "../../domain/unit-plan.js";

/** What nixos-rebuild is to be run with. */
export type Rebuild = {
  /** The flake in the machine's own store, without `#configuration`. */
  readonly reference: string;
  readonly configuration: string;
};

/** Store paths of the runner that a machine is to have. */
export type SentPaths = {
  /** With everything that they refer to. */
  readonly closures: readonly StorePath[];
  /** With everything that is needed to build them, and without what they build. */
  readonly derivations: readonly StorePath[];
};

/** Whether a machine has got a store path from its own binary caches, or what Nix printed where they do not have it. */
export type Download = { readonly kind: "downloaded"; readonly copied: CopyProgress } | { readonly kind: "unavailable"; readonly lines: readonly string[] };

/** What two systems of one machine differ in. */
export type SystemDifference = {
  readonly closure: ClosureDifference;
  /** As the unit files have it, where that was asked for. */
  readonly units: UnitPlan | undefined;
};
