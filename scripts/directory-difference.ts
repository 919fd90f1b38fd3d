import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Reads all files below a directory, by their path in it. */
export function filesOf(directory: string): Map<string, Buffer> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(files.map((entry) => join(entry.parentPath, entry.name)).map((path) => [path.slice(directory.length + 1), readFileSync(path)]));
}

/** Returns the files that are missing on one side, or differ in a byte. */
export function differingFiles(one: ReadonlyMap<string, Buffer>, other: ReadonlyMap<string, Buffer>): string[] {
  return [...new Set([...one.keys(), ...other.keys()])]
    .filter((file) => {
      const [here, there] = [one.get(file), other.get(file)];
      return here === undefined || there === undefined || !here.equals(there);
    })
    .toSorted();
}
