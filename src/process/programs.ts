import { which } from "@actions/io";

/** Names those of the programs that are not in PATH. */
export async function missingPrograms(names: readonly string[]): Promise<string[]> {
  const found = await Promise.all(names.map(async (name) => await which(name, false)));
  return names.filter((_, index) => found[index] === "");
}
