import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** Root of the checkout, also when this runs from `out/`. */
export const checkout = findCheckout(path.dirname(fileURLToPath(import.meta.url)));

function findCheckout(directory: string): string {
  if (existsSync(path.join(directory, "action.yml"))) return directory;
  const parent = path.dirname(directory);
  if (parent === directory) throw new Error("no action.yml above the rig");
  return findCheckout(parent);
}

/** Path of a file of the rig that is not compiled. */
export function asset(name: string): string {
  return path.join(checkout, "__tests__", "fleet", "rig", name);
}

/** Text of a file of the rig that is not compiled. */
export function assetText(name: string): string {
  return readFileSync(asset(name), "utf8");
}
