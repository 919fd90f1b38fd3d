import fleet from "./jest.fleet.config.js";

// Over the real programs of REAL_TOOLS, a real NixOS among them: minutes, not seconds.
export default {
  ...fleet,
  displayName: "real",
  testMatch: ["<rootDir>/__tests__/fleet/real/*.test.js"],
  testPathIgnorePatterns: [],
  testTimeout: 1_800_000,
};
