// Jest runs what tsc has emitted. These tests render the summary in a browser.
export default {
  displayName: "page",
  rootDir: "out",
  testEnvironment: "node",
  testMatch: ["<rootDir>/__tests__/page/**/*.test.js"],
  testTimeout: 120_000,
  transform: {},
};
