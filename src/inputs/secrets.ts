import { secretLines } from "../ssh/key.js";
import type { Inputs } from "./deploy.js";

/** The texts of the inputs that no log may show. */
export function secretsOf({ passphrase, elevatePassword, key }: Inputs): string[] {
  return [passphrase, elevatePassword, ...secretLines(key ?? "")].filter((secret) => secret !== undefined);
}
