import fleet from "./jest.fleet.config.js";

// Every fault in every phase of a run; the fleet tests have those that have found a fault of the action. Writes docs/reliability.md.
export default {
  ...fleet,
  displayName: "faults",
  testMatch: ["runner", "machine"].map((name) => `<rootDir>/__tests__/fleet/faults/${name}.test.js`),
  testPathIgnorePatterns: [],
  globalTeardown: "<rootDir>/__tests__/fleet/faults/record.js",
  // Read by faults/table.ts.
  globals: { recordFaults: true },
};
