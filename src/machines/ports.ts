import type { Way } from "../domain/build-place.js";
import type { Failure } from "../domain/failure.js";
import type { SentFlake } from "../domain/flake.js";
import type { GivenSystems } from "../domain/given-systems.js";
import type { Choice, Inventory } from "../domain/inventory.js";
import type { StorePath } from "../domain/store-path.js";
import type { Selection } from "../domain/selection.js";
import type { NamedTarget, RefusedTarget, Target } from "../domain/target.js";

/** What is asked of a flake about its machines. */
export type InventoryQuery = {
  /** Machines that it leaves out by their names are not evaluated. */
  readonly selection: Selection;
  /** Whether platform and tags are wanted, also where a machine's address is known without them. */
  readonly details: boolean;
};

/** A flake in the runner's store. */
export type FetchedFlake = {
  /** Makes what the machines are sent. With `hive`, the nodes of a colmena hive are among its configurations. */
  wrap(hive: boolean): Promise<SentFlake>;
};

/** The system of a machine, and how the machine gets it. */
export type WantedSystem = {
  readonly name: string;
  /** Attribute under the outer flake's `nixosConfigurations`; `undefined` where only the machine knows its hostname. */
  readonly configuration: string | undefined;
} & ({ readonly way: Way } | { readonly way: "built-before"; readonly toplevel: StorePath });

/** What the runner has made of the systems that it evaluates, and builds where it is to: by the name of their configuration. */
export type MadeSystems = {
  readonly systems: ReadonlyMap<
    string,
    {
      readonly derivation: StorePath;
      readonly toplevel: StorePath;
      /** For a node of deploy-rs: the attribute of `nixosConfigurations` with the same system, if it has the node's name. */
      readonly configuration?: string | undefined;
      /** The profile of deploy-rs has a script of its own to activate it, which the action does not run. */
      readonly ownActivation?: boolean;
    }
  >;
  readonly failed: ReadonlyMap<string, Failure>;
};

/** What finding the machines of a deployment needs of the outside world. */
export type DeploymentPorts = {
  /** Fetches the flake of the run into the runner's store. */
  fetchFlake(): Promise<FetchedFlake>;
  readInventory(flake: SentFlake, query: InventoryQuery): Promise<Inventory>;
  /** Throws an `InputError` for systems of the runner's store that are none of NixOS. */
  requireSystems(systems: GivenSystems): void;
  /** Evaluates on the runner what is evaluated there, and builds what is built there. One that fails stops none of the others. */
  makeSystems(flake: SentFlake, wanted: readonly WantedSystem[]): Promise<MadeSystems>;
  /** Makes ssh ready. Called once, and only after everything that the runner evaluates and builds, unless that is nothing. */
  prepareSsh(): Promise<void>;
  /** Finds out where targets are, without connecting to any. The answers are in the order of the targets. */
  locate(targets: readonly NamedTarget[]): Promise<readonly (Target | RefusedTarget)[]>;
  /** Reports what was chosen of the flake's machines. */
  announce(choice: Choice): void;
};

/** What planning the jobs of a matrix needs of the outside world. */
export type MatrixPorts = ComparisonPorts & Pick<DeploymentPorts, "announce"> & { readInventory(query: InventoryQuery): Promise<Inventory> };

/** What building systems without deploying them needs of the outside world. */
export type BuildPorts = MatrixPorts & Pick<DeploymentPorts, "fetchFlake" | "makeSystems">;

/** What a Git revision is in a checkout: a full commit id, or unknown there. */
export type ResolvedRevision = { readonly kind: "commit"; readonly id: string } | { readonly kind: "missing"; readonly shallow: boolean };

/** The source of a flake, and its Git work tree. */
export type Checkout = {
  /** Reference to the source in the runner's store, with revision and date that are the same for every commit. */
  readonly pinned: string;
  /** `undefined` where the flake is not in a Git work tree on this runner. */
  readonly repository: { readonly directory: string; readonly referenceAt: (commit: string) => string } | undefined;
};

/** The derivation of each configuration's system; `undefined` where it does not evaluate, or does not exist. */
export type Toplevels = ReadonlyMap<string, string | undefined>;

/** The systems of another commit, or briefly why they are unknown. `same`: its source is the present one. */
export type FormerToplevels =
  | { readonly kind: "toplevels"; readonly toplevels: Toplevels }
  | { readonly kind: "same" }
  | { readonly kind: "none"; readonly reason: string };

/** What comparing systems with those of an older commit needs of the outside world. */
export type ComparisonPorts = {
  /** Copies the flake and its inputs into the runner's store. */
  checkout(): Promise<Checkout>;
  /** Looks a Git revision up in a work tree. */
  resolveRevision(directory: string, revision: string): Promise<ResolvedRevision>;
  /** Evaluates systems of the commit that a reference names. Throws only for an abort. */
  formerToplevels(present: Checkout, reference: string, configurations: readonly string[]): Promise<FormerToplevels>;
  /** Evaluates systems of the flake as it is now. */
  toplevels(present: Checkout, configurations: readonly string[]): Promise<Toplevels>;
  /** Reports why every machine counts as changed. */
  allChanged(reason: string): void;
  /** Reports a machine that counts as changed because its system does not evaluate. */
  notComparable(machine: string): void;
};
