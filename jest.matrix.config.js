import fleet from "./jest.fleet.config.js";

// Every Nix of a runner with every Nix of a machine, every scenario of a switch in every way, every place of a crash with the
// runner alive and killed, and every control of a case; the fleet tests have only some of them.
export default {
  ...fleet,
  displayName: "matrix",
  testMatch: ["nix-matrix", "switch/scenarios", "safety/activation", "safety/confirmed", "safety/crash", "safety/units"].map(
    (name) => `<rootDir>/__tests__/fleet/${name}.test.js`,
  ),
  // Read by nix-matrix.ts, switch/scenarios.test.ts, safety/crash.test.ts and safety/trial.ts.
  globals: { everyNix: true, everyWay: true, everyCell: true, everyControl: true },
};
