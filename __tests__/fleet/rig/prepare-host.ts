import { prepareHost } from "./host.js";
import { describeTools, activationTools } from "./activation-tools.js";
import { rootFileSystem } from "./root-file-system.js";

/** Jest's global setup: what all workers need is there before the first of them begins, so that none waits for another. */
export default async function prepare(): Promise<void> {
  const real = activationTools();
  if (process.env["REAL_TOOLS"] !== undefined) process.stdout.write(`${describeTools(real)}\n`);
  await prepareHost();
  for (const suite of ["forky", "trixie"] as const) await rootFileSystem(suite);
}
