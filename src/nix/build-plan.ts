const several = /^(these \d+ derivations will be built|these \d+ paths will be fetched(?: \([^)]*\))?):$/;
const single = /^(this derivation will be built|this path will be fetched(?: \([^)]*\))?):$/;
const item = /^ {2}(\/nix\/store\/\S+)$/;

/**
 * Folds the list of derivations and paths that Nix prints before a build into one line with its count and sizes; every other
 * line passes unchanged. A first deployment of a real NixOS lists thousands:
 *
 *     these 2157 derivations will be built:
 *       /nix/store/h11pn2l5rszzgjrl84qw2ifr33rdkjcq-config.sub-28ea239.drv
 *     these 480 paths will be fetched (212.10 MiB download, 1034.53 MiB unpacked):
 *       /nix/store/0m4y3j4pnivlhhpr5yqdvlly86p93fwc-busybox-1.36.1
 */
export class BuildPlanFolder {
  #state: "outside" | "list" | { readonly heading: string } = "outside";

  /** Returns the lines to show in place of the next one: none, one, or two. */
  fold(line: string): string[] {
    const state = this.#state;
    const path = item.exec(line)?.[1];
    if (path !== undefined && state !== "outside") {
      if (state === "list") return [];
      this.#state = "outside";
      return [`${state.heading}: ${path}`];
    }
    const held = typeof state === "object" ? [`${state.heading}:`] : [];
    const heading = single.exec(line)?.[1];
    if (heading !== undefined) {
      this.#state = { heading };
      return held;
    }
    const list = several.exec(line)?.[1];
    this.#state = list === undefined ? "outside" : "list";
    return [...held, list ?? line];
  }

  /** Returns what is still held back when the output ends. */
  end(): string[] {
    return typeof this.#state === "object" ? [`${this.#state.heading}:`] : [];
  }
}
