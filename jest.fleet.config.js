// Jest runs what tsc has emitted. These tests boot real machines, and need root.
export default {
  displayName: "fleet",
  rootDir: "out",
  testEnvironment: "node",
  testMatch: ["<rootDir>/__tests__/fleet/**/*.test.js"],
  // These have commands of their own: npm run test:real, npm run test:faults.
  testPathIgnorePatterns: ["<rootDir>/__tests__/fleet/real/", "<rootDir>/__tests__/fleet/faults/(runner|machine)"],
  testTimeout: 300_000,
  globalSetup: "<rootDir>/__tests__/fleet/rig/prepare-host.js",
  // Most of a fleet's time is waiting: two at a time are what two cores carry.
  maxWorkers: 2,
  // A handle that a broken test left open must not keep CI until its own end.
  forceExit: true,
  transform: {},
};
