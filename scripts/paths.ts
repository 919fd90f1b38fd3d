import { fileURLToPath } from "node:url";

/** The root of the checkout; this module runs as `out/scripts/paths.js`. */
export const root = fileURLToPath(new URL("../../", import.meta.url));
