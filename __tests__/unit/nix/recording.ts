import { readFileSync } from "node:fs";

/** What a real Nix printed: a file of `recorded/`. */
export function recording(name: string): string {
  return readFileSync(new URL(`./recorded/${name}`, import.meta.url), "utf8");
}
