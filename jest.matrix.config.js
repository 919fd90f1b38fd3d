import fleet from "./jest.fleet.config.js";

// Every Nix of a runner with every Nix of a machine, and every scenario of a switch in every way; the fleet tests have only
// those that have found faults.
export default {
  ...fleet,
  displayName: "matrix",
  testMatch: ["<rootDir>/__tests__/fleet/nix-matrix.test.js", "<rootDir>/__tests__/fleet/switch/scenarios.test.js"],
  // Read by __tests__/fleet/nix-matrix.ts and __tests__/fleet/switch/scenarios.test.ts.
  globals: { everyNix: true, everyWay: true },
};
