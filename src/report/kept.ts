import type { Annotation } from "./annotations.js";

/** The warning that a garbage collection on the runner may remove systems before a later step has pushed them. */
export function notKeptWarning(reason: string): Annotation {
  return {
    title: "The systems are not protected from garbage collection",
    message: `nix-store --add-root failed on the runner: ${reason}. Push the systems in the next step, and collect no garbage before it.`,
  };
}
