import { protectedWay, switchAction, type Operation, type SwitchAction } from "../domain/operation.js";
import type { ActivatableSystem } from "../deploy/ports.js";

const systemProfile = "/nix/var/nix/profiles/system";

/** What activate.sh is called with: an action of switch-to-configuration, or `step` for profile and boot loader alone. */
export type ActivateAction = SwitchAction | "step";

/** How the machine performs an operation: `plain` like nixos-rebuild, in one step that cannot be undone. */
export type ActivationWay = "switch" | "boot" | "test" | "plain";

/** The way of an operation, and the action that it begins with. Throws an `Error` for one that changes nothing. */
export function wayOf(operation: Operation, guarded: boolean): { readonly way: ActivationWay; readonly action: ActivateAction } {
  const way = protectedWay(operation);
  const action = switchAction(operation);
  if (way === undefined || action === undefined) throw new Error(`${operation} changes nothing`);
  if (!guarded) return { way: "plain", action };
  return { way, action: way === "boot" ? "step" : "test" };
}

/** Builds the call of activate.sh in the directory of the run. */
export function activateCommand(action: ActivateAction, { toplevel, running, generation }: ActivatableSystem, installBootLoader: boolean): string[] {
  return ["/bin/sh", "./activate.sh", action, toplevel, running, generation?.toString() ?? "", installBootLoader ? "1" : "0", systemProfile];
}
