import fleet from "./jest.fleet.config.js";

// Every Nix of a runner with every Nix of a machine, every scenario of a switch in every way, and every place of a crash with the
// runner alive and killed; the fleet tests have only some of them.
export default {
  ...fleet,
  displayName: "matrix",
  testMatch: ["nix-matrix", "switch/scenarios", "safety/crash"].map((name) => `<rootDir>/__tests__/fleet/${name}.test.js`),
  // Read by nix-matrix.ts, switch/scenarios.test.ts and safety/crash.test.ts.
  globals: { everyNix: true, everyWay: true, everyCell: true },
};
