import { expect, test } from "@jest/globals";

import { field, isObject, number, objectOf, parseJson, text, texts } from "../../../src/domain/json.js";

test("a text that is not JSON has no value", () => {
  expect(parseJson('{"a":1}')).toEqual({ a: 1 });
  expect(parseJson("{")).toBeUndefined();
});

test("a property is found along its path, and only where an object has it itself", () => {
  const data = { a: { b: [1] } };
  expect(field(data, "a", "b")).toEqual([1]);
  for (const path of [["x"], ["a", "x", "y"], ["toString"], ["a", "b", "length", "x"], ["constructor", "name"]]) expect(field(data, ...path)).toBeUndefined();
  for (const nothing of [null, undefined, "text", 1]) expect(field(nothing, "length")).toBeUndefined();
});

test("values of another type are none", () => {
  expect([text("a"), text(""), text(1)]).toEqual(["a", undefined, undefined]);
  expect([number(0), number("0")]).toEqual([0, undefined]);
  expect([texts(["a", 1, "b"]), texts("ab")]).toEqual([["a", "b"], []]);
  expect(Object.keys(objectOf("ab"))).toEqual([]);
  expect([{}, [], null, "ab"].map(isObject)).toEqual([true, false, false, false]);
});
