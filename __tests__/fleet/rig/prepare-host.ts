import { prepareHost } from "./host.js";
import { rootFileSystem } from "./root-file-system.js";

/** Jest's global setup: what all workers need is there before the first of them begins, so that none waits for another. */
export default async function prepare(): Promise<void> {
  await prepareHost();
  for (const suite of ["forky", "trixie"] as const) await rootFileSystem(suite);
}
