import { existsSync, readFileSync } from "node:fs";

import { CommandError } from "../domain/errors.js";
import { field, text } from "../domain/json.js";
import { runNix } from "./nix-command.js";

/** The platforms that the runner can build for: by itself, and with its builders. */
export type Platforms = ReadonlySet<string>;

/**
 * Asks the runner's Nix what platforms it can build for; `undefined` where it does not say. Foreign ones that the runner emulates
 * (binfmt_misc) are in its `extra-platforms`.
 */
export async function buildablePlatforms(signal: AbortSignal | undefined): Promise<Platforms | undefined> {
  // `nix show-config` is the older name, and the only one up to Nix 2.19 and of Lix.
  for (const command of [["config", "show"], ["show-config"]]) {
    try {
      return parsePlatforms((await runNix([...command, "--json"], { signal })).stdout, readLines);
    } catch (error) {
      if (!(error instanceof CommandError) || error.failure.kind === "aborted") throw error;
    }
  }
  return undefined;
}

/**
 * Parses what `nix config show --json` prints, as far as it tells platforms: `system`, `extra-platforms`, and `builders`, which is text
 * of machines(5) or the name of a file behind an `@`. The second word of a builder lists its platforms; `-` is the runner's own.
 *
 *     {"system":{"value":"x86_64-linux",…},"extra-platforms":{"value":["i686-linux"],…},"builders":{"value":"@/etc/nix/machines",…},…}
 */
export function parsePlatforms(json: string, read: (file: string) => string): Platforms {
  const settings: unknown = JSON.parse(json);
  const value = (name: string): unknown => field(field(settings, name), "value");
  const system = text(value("system"));
  const extra = value("extra-platforms");
  const platforms = new Set<string>([...(system === undefined ? [] : [system]), ...(Array.isArray(extra) ? extra.map(String) : [])]);
  for (const builder of builders(text(value("builders")) ?? "", read)) {
    for (const platform of (builder.split(/\s+/)[1] ?? "-").split(",")) if (platform !== "-") platforms.add(platform);
  }
  return platforms;
}

function builders(setting: string, read: (file: string) => string): string[] {
  return setting
    .split(/[;\n]/)
    .map((line) => line.replace(/#.*/, "").trim())
    .filter((line) => line !== "")
    .flatMap((line) => (line.startsWith("@") ? builders(read(line.slice(1)), () => "") : [line]));
}

function readLines(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}
