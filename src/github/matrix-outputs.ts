import * as core from "@actions/core";

import type { MatrixOutputs } from "../domain/matrix.js";

/** Sets every output of the companion action. */
export function setMatrixOutputs(outputs: MatrixOutputs): void {
  for (const [name, value] of Object.entries(outputs)) core.setOutput(name, value);
}
