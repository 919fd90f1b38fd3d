import type { SwitchAction } from "../domain/operation.js";
import type { ActivatableSystem } from "../deploy/ports.js";

const systemProfile = "/nix/var/nix/profiles/system";

/** Builds the call of activate.sh, which stands in the directory of the run. */
export function activateCommand(action: SwitchAction, { toplevel, running, generation }: ActivatableSystem, installBootLoader: boolean): string[] {
  return ["/bin/sh", "./activate.sh", action, toplevel, running, generation?.toString() ?? "", installBootLoader ? "1" : "0", systemProfile];
}
