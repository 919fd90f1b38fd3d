import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";

import { StartGate } from "../../../src/process/start-gate.js";

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

/** Works that end when they are told to, and the names of those that have begun. */
function makeWorks(gate: StartGate) {
  const begun: string[] = [];
  const ends = new Map<string, { resolve: () => void; reject: (error: Error) => void }>();
  const start = async (name: string, signal?: AbortSignal): Promise<string> =>
    await gate.pass(signal, async () => {
      begun.push(name);
      await new Promise<void>((resolve, reject) => ends.set(name, { resolve, reject }));
      return name;
    });
  return { begun, ends, start };
}

test("as many begin as may, the others in their order when one of them has ended, well or badly", async () => {
  const { begun, ends, start } = makeWorks(new StartGate(2, 5000));
  const [a, b, c, d] = ["a", "b", "c", "d"].map(async (name) => await start(name));
  await jest.advanceTimersByTimeAsync(0);
  expect(begun).toEqual(["a", "b"]);
  ends.get("b")?.resolve();
  expect(await b).toBe("b");
  await jest.advanceTimersByTimeAsync(0);
  expect(begun).toEqual(["a", "b", "c"]);
  ends.get("a")?.reject(new Error("no luck"));
  await expect(a).rejects.toThrow("no luck");
  await jest.advanceTimersByTimeAsync(0);
  expect(begun).toEqual(["a", "b", "c", "d"]);
  ends.get("c")?.resolve();
  ends.get("d")?.resolve();
  expect(await Promise.all([c, d])).toEqual(["c", "d"]);
  expect(jest.getTimerCount()).toBe(0);
});

test("one that takes long holds up no other, and makes room once", async () => {
  const { begun, ends, start } = makeWorks(new StartGate(1, 5000));
  const works = ["slow", "next", "last"].map(async (name) => await start(name));
  await jest.advanceTimersByTimeAsync(4999);
  expect(begun).toEqual(["slow"]);
  await jest.advanceTimersByTimeAsync(1);
  expect(begun).toEqual(["slow", "next"]);
  ends.get("slow")?.resolve();
  await jest.advanceTimersByTimeAsync(0);
  expect(begun).toEqual(["slow", "next"]);
  ends.get("next")?.resolve();
  await jest.advanceTimersByTimeAsync(0);
  expect(begun).toEqual(["slow", "next", "last"]);
  ends.get("last")?.resolve();
  expect(await Promise.all(works)).toEqual(["slow", "next", "last"]);
});

test("one that is aborted does not wait, and takes no other's turn", async () => {
  const { begun, ends, start } = makeWorks(new StartGate(1, 5000));
  const controller = new AbortController();
  const first = start("first");
  const aborted = start("aborted", controller.signal);
  const next = start("next");
  controller.abort();
  await jest.advanceTimersByTimeAsync(0);
  expect(begun).toEqual(["first", "aborted"]);
  const late = start("late", controller.signal);
  await jest.advanceTimersByTimeAsync(0);
  expect(begun).toEqual(["first", "aborted", "late"]);
  for (const name of ["aborted", "late"]) ends.get(name)?.resolve();
  await jest.advanceTimersByTimeAsync(0);
  expect(begun).toEqual(["first", "aborted", "late"]);
  ends.get("first")?.resolve();
  await jest.advanceTimersByTimeAsync(0);
  expect(begun).toEqual(["first", "aborted", "late", "next"]);
  ends.get("next")?.resolve();
  expect(await Promise.all([first, aborted, next, late])).toEqual(["first", "aborted", "next", "late"]);
});
