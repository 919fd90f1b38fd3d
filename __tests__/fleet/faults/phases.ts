import type { Behaviour } from "../rig/flake.js";
import type { PhaseName } from "./cells.js";
import { held } from "./holds.js";

/** How a run gets into a phase: what the new system is, and the inputs. */
export type Phase = { readonly behaviour: Behaviour; readonly inputs: Readonly<Record<string, string>> };

/** The system that runs before. A rollback to it can be held. */
export const oldSystem: Behaviour = { switchScript: held("rollback") };

const plain: Phase = { behaviour: {}, inputs: {} };

export const phases: Readonly<Record<PhaseName, Phase>> = {
  connect: plain,
  copy: plain,
  build: { behaviour: { buildScript: held("build") }, inputs: {} },
  arm: plain,
  activate: { behaviour: { switchScript: held("activate") }, inputs: {} },
  confirm: { behaviour: {}, inputs: { "health-check": held("confirm") } },
  "last step": { behaviour: { bootLoaderScript: held("last step") }, inputs: {} },
  rollback: { behaviour: { activationScript: "false" }, inputs: {} },
  "clean-up": plain,
};
