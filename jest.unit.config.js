// Jest runs what tsc has emitted. These tests need nothing but this checkout.
export default {
  displayName: "unit",
  rootDir: "out",
  testEnvironment: "node",
  testMatch: ["<rootDir>/__tests__/**/*.test.js"],
  testPathIgnorePatterns: ["<rootDir>/__tests__/fleet/", "<rootDir>/__tests__/page/"],
  testTimeout: 30_000,
  // Every core: the default leaves one idle, which is half of them on a small machine.
  maxWorkers: "100%",
  transform: {},
};
