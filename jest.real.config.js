import fleet from "./jest.fleet.config.js";

const folders = ["real", "safety", "switch"];

// Over the real programs of REAL_TOOLS, a real NixOS among them: minutes, not seconds. The activation suite (safety/ and switch/)
// only runs where those of an activation are at hand: scripts/test.ts leaves it out elsewhere.
export default {
  ...fleet,
  displayName: "real",
  testMatch: folders.map((folder) => `<rootDir>/__tests__/fleet/${folder}/*.test.js`),
  testPathIgnorePatterns: [],
  testTimeout: 1_800_000,
};
