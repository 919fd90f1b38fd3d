import { existsSync } from "node:fs";

import fleet from "./jest.fleet.config.js";

const directory = process.env["REAL_TOOLS"] ?? "";
// The activation suite, where the real programs of an activation are at hand.
const activation = ["safety", "switch"].map((folder) => `<rootDir>/__tests__/fleet/${folder}/*.test.js`);

// Over the real programs of REAL_TOOLS, a real NixOS among them: minutes, not seconds.
export default {
  ...fleet,
  displayName: "real",
  testMatch: ["<rootDir>/__tests__/fleet/real/*.test.js", ...(directory !== "" && existsSync(`${directory}/bin`) ? activation : [])],
  testPathIgnorePatterns: [],
  testTimeout: 1_800_000,
};
