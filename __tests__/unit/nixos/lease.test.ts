import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";

import { Lease, leaseCall } from "../../../src/nixos/lease.js";

const minute = 60_000;

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

test("a machine is reported every ten minutes that the run is alive, also after a call that failed, and not after the end", async () => {
  const lease = new Lease();
  let calls = 0;
  lease.begin(async () => {
    calls += 1;
    await Promise.reject(new Error("the connection is lost"));
  });
  await jest.advanceTimersByTimeAsync(25 * minute);
  expect(calls).toBe(2);
  lease.end();
  await jest.advanceTimersByTimeAsync(60 * minute);
  expect(calls).toBe(2);
});

test("after a new connection there is still one call every ten minutes", async () => {
  const lease = new Lease();
  const calls: string[] = [];
  for (const connection of ["first", "second"]) lease.begin(async () => await Promise.resolve(calls.push(connection)));
  await jest.advanceTimersByTimeAsync(10 * minute);
  expect(calls).toEqual(["second"]);
  lease.end();
});

test("the machine waits for several calls, and removes everything within an hour of the last one", () => {
  const seconds = Number(leaseCall("run1", true).args[1]);
  expect(seconds).toBeGreaterThan(4 * 600);
  expect(seconds).toBeLessThan(3600);
});
