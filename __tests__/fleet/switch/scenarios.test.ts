import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";

import { Fleet } from "../rig/fleet.js";
import { Bench, kinds } from "./bench.js";
import { casesOf } from "./cases.js";
import { recorded } from "./recorded.js";
import { base, scenarios } from "./scenarios.js";

jest.setTimeout(600_000);

const names = ["h1", "h2", "h3"];
// Set by jest.matrix.config.js.
const cases = casesOf(Reflect.get(globalThis, "everyWay") === true);

let fleet: Fleet;
let benches: readonly Bench[];

beforeAll(async () => {
  fleet = await Fleet.start(names);
  benches = await Promise.all(
    names.map(async (name, machine) => {
      const own = scenarios.filter((_, index) => index % names.length === machine).map((scenario) => [scenario.name, scenario.behaviour] as const);
      return await Bench.prepare(fleet, fleet.machine(name), base, own);
    }),
  );
});
afterAll(async () => await fleet?.stop());

describe.each(kinds)("with the %s programs, a switch prints, does and ends as recorded", (kind) => {
  test.concurrent.each(cases)("$way of $name", async ({ name, way, codes, index }) => {
    const found = await benches[index % names.length]!.switchTo(name, way, kind);
    const expected = recorded(name, way);
    expect(found.end).toBe(expected.end);
    expect(found.end).toContain(`exit ${codes[way]};`);
    // nixos-rebuild-ng follows the journal, where lines of systemd and of several processes are mixed.
    const wanted = expected.lines.filter((line) => !line.startsWith("Command "));
    expect(way === "ng" ? wanted.filter((line) => found.lines.includes(line)) : found.lines).toEqual(wanted);
  });
});
