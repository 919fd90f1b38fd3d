import fleet from "./jest.fleet.config.js";

// Every Nix of a runner with every Nix of a machine; the fleet tests have only those runners that have found faults.
export default {
  ...fleet,
  displayName: "matrix",
  testMatch: ["<rootDir>/__tests__/fleet/nix-matrix.test.js"],
  // Read by __tests__/fleet/nix-matrix.ts.
  globals: { everyNix: true },
};
