import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { type Behaviour, failingUnit, runningUnit, writeFlake } from "../rig/flake.js";
import { Fleet } from "../rig/fleet.js";
import type { StepResult } from "../rig/runner.js";
import { root } from "../../../scripts/paths.js";

// Deploys to nine real machines, of which some fail, and writes what the action knew in the end into
// __tests__/page/recorded-results.ts, from which the picture in docs/ is made. To be run again when HostResult changes.

const file = join(root, "__tests__/page/recorded-results.ts");

const reload = runningUnit("reload").replace("[Service]\n", "X-ReloadIfChanged=true\n[Service]\nExecReload=/bin/true\n");
// KiB of each package, before and after.
const sizes = {
  openssl: 6120,
  curl: 1210,
  systemd: 38_400,
  nginx: 4210,
  php: 41_300,
  postgresql: 48_700,
  valkey: 9800,
  postfix: 7900,
  haproxy: 8300,
  loki: 92_000,
  promtail: 84_000,
};
const newSizes = {
  ...sizes,
  openssl: 6190,
  curl: 1284,
  nginx: 4233,
  php: 41_420,
  postgresql: 48_910,
  haproxy: 8290,
  loki: 95_100,
  alloy: 118_000,
  brotli: 830,
};
const common = { openssl: "3.5.2", curl: "8.14.1", systemd: "258.1" };
const newCommon = { openssl: "3.5.4", curl: "8.15.0", systemd: "258.1" };

/** What each machine is before, and what is to come of it. */
const machines: Readonly<Record<string, { readonly before: Behaviour; readonly after: Behaviour }>> = {
  web1: {
    before: { packages: { ...common, nginx: "1.28.0", php: "8.4.10" }, units: { "nginx.service": runningUnit("one"), "phpfpm.service": reload } },
    after: {
      packages: { ...newCommon, nginx: "1.28.1", php: "8.4.11", brotli: "1.1.0" },
      units: { "nginx.service": runningUnit("two"), "phpfpm.service": `${reload}# changed\n` },
    },
  },
  web2: {
    before: { packages: { ...common, nginx: "1.28.0" }, units: { "nginx.service": runningUnit("one"), "old-metrics.service": runningUnit() } },
    after: {
      packages: { ...newCommon, nginx: "1.28.1" },
      units: { "nginx.service": runningUnit("two"), "node-exporter.service": runningUnit() },
      kernel: "6.12.58",
    },
  },
  db1: {
    before: { packages: { ...common, postgresql: "17.5" }, units: { "postgresql.service": runningUnit("one") } },
    after: { packages: { ...newCommon, postgresql: "17.6" }, units: { "postgresql.service": runningUnit("two") } },
  },
  cache1: { before: { packages: { ...common, valkey: "8.1.3" } }, after: { packages: { ...common, valkey: "8.1.3" } } },
  mail1: {
    before: { packages: { ...common, postfix: "3.10.2" }, units: { "postfix.service": runningUnit("one") } },
    after: { packages: { ...newCommon, postfix: "3.10.4" }, units: { "postfix.service": runningUnit("two"), "spam-filter.service": failingUnit } },
  },
  edge1: {
    before: { packages: { ...common, haproxy: "3.2.3" }, units: { "haproxy.service": runningUnit("one") } },
    after: {
      packages: { ...newCommon, haproxy: "3.2.4" },
      units: { "haproxy.service": runningUnit("two") },
      activationScript: "echo 'certificates: /var/lib/acme/edge1: permission denied' >&2; false",
    },
  },
  build1: {
    before: { packages: { ...common, "gitea-runner": "1.0.7" } },
    after: { packages: newCommon, buildScript: "echo 'unpacking sources'; echo 'hash mismatch in src: wanted sha256-AAAA' >&2; exit 1" },
  },
  log1: {
    before: { packages: { ...common, loki: "3.5.1", promtail: "3.5.1" }, units: { "loki.service": runningUnit("one"), "promtail.service": runningUnit() } },
    after: { packages: { ...newCommon, loki: "3.5.3", alloy: "1.10.0" }, units: { "loki.service": runningUnit("two"), "alloy.service": runningUnit() } },
  },
  backup1: { before: { packages: common }, after: { packages: newCommon } },
};
const specs = [
  { name: "web1", rebuild: "ng" },
  { name: "web2", suite: "trixie", rebuild: "bash" },
  { name: "db1", suite: "bookworm", rebuild: "bash" },
  { name: "cache1", rebuild: "ng" },
  { name: "mail1", rebuild: "ng" },
  { name: "edge1", suite: "trixie", rebuild: "bash" },
  { name: "build1", rebuild: "ng" },
  { name: "log1", rebuild: "ng" },
  { name: "backup1", rebuild: "ng" },
] as const;

const fleet = await Fleet.start(specs.map((spec) => ({ ...spec, systemProfile: true })));
const recorded = join(fleet.directory, "results.ts");
try {
  await deploy("before");
  await fleet.machine("backup1").powerOff();
  const step = await deploy("after");
  process.stdout.write(`${step.log}\n`);
  writeFileSync(file, readFileSync(recorded));
} finally {
  await fleet.stop();
}
// As the rest of the project.
spawnSync("npx", ["oxfmt", file], { cwd: root, stdio: "inherit" });

async function deploy(time: "before" | "after"): Promise<StepResult> {
  // Without Git there is no revision in the systems: what is to stay as it is stays.
  const workspace = await writeFlake(
    `${fleet.directory}/flake`,
    Object.fromEntries(
      Object.entries(machines).map(([name, machine]) => [name, { ...machine[time], sizes: time === "before" || name === "cache1" ? sizes : newSizes }]),
    ),
  );
  return await fleet.runner.run({
    // What was emitted, since a bundle has no modules in which reports could be listened to.
    entry: "out/__tests__/fleet/programs/record/start.js",
    env: { NODE_OPTIONS: "--import=/action/out/__tests__/fleet/programs/record/listen.js", RECORDED_RESULTS: recorded },
    inputs: {
      "ssh-key": fleet.key.secret,
      "ssh-known-hosts": fleet.knownHosts(),
      targets: specs.map(({ name }) => `root@${name}`).join("\n"),
      "unit-failures": "warn",
      "connect-timeout": "3",
      retries: "0",
    },
    workspace,
  });
}

// It boots machines and leaves handles behind.
process.exit(0);
