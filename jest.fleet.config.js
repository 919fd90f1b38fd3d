// Jest runs what tsc has emitted. These tests boot real machines, and need root.
export default {
  displayName: "fleet",
  rootDir: "build",
  testEnvironment: "node",
  testMatch: ["<rootDir>/__tests__/fleet/**/*.test.js"],
  testTimeout: 300_000,
  // The first test that needs a suite builds its root file system; one fleet at a time is what two cores carry.
  maxWorkers: 1,
  // A handle that a broken test left open must not keep CI until its own end.
  forceExit: true,
  transform: {},
};
