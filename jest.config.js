// Jest runs what tsc has emitted. `--selectProjects unit` needs nothing but this checkout; `fleet` boots real machines.
const common = {
  rootDir: "build",
  testEnvironment: "node",
  transform: {},
};

export default {
  // Jest passes over the option of a project.
  testTimeout: 120_000,
  projects: [
    {
      ...common,
      displayName: "unit",
      testMatch: ["<rootDir>/__tests__/**/*.test.js"],
      testPathIgnorePatterns: ["<rootDir>/__tests__/fleet/"],
    },
    {
      ...common,
      displayName: "fleet",
      testMatch: ["<rootDir>/__tests__/fleet/**/*.test.js"],
    },
  ],
};
