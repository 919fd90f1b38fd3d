// Jest runs what tsc has emitted. `--selectProjects unit` needs nothing but this checkout; `fleet` boots real machines.
const common = {
  rootDir: "build",
  testEnvironment: "node",
  transform: {},
};

export default {
  projects: [
    {
      ...common,
      displayName: "unit",
      testMatch: ["<rootDir>/__tests__/**/*.test.js"],
      testPathIgnorePatterns: ["<rootDir>/__tests__/fleet/"],
      testTimeout: 30_000,
    },
    {
      ...common,
      displayName: "fleet",
      testMatch: ["<rootDir>/__tests__/fleet/**/*.test.js"],
      testTimeout: 300_000,
    },
  ],
};
