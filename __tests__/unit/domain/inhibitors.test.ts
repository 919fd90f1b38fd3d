import { describe, expect, test } from "@jest/globals";

import { inhibitorsOf } from "../../../src/domain/inhibitors.js";

describe("inhibitors", () => {
  test.each<[string, string, string, readonly string[]]>([
    ["a value that has changed", '{"systemd":"262","dbus":"broker"}', '{"systemd":"263","dbus":"broker"}', ["systemd: 262 -> 263"]],
    ["values that are the same", '{"systemd":"262"}', '{"systemd":"262"}', []],
    ["a new one", "{}", '{"systemd":"263"}', []],
    ["one that is gone", '{"systemd":"262"}', "{}", []],
    ["no file before", "", '{"systemd":"263"}', []],
    ["no file after", '{"systemd":"262"}', "", []],
    ["no JSON", "systemd", '{"systemd":"263"}', []],
    ["no object", "[1]", "null", []],
    ["values that are no texts", '{"a":1,"b":[1]}', '{"a":2,"b":[1]}', ["a: 1 -> 2"]],
  ])("%s", (_, before, after, found) => {
    expect(inhibitorsOf({ before, after })).toEqual(found);
  });

  test("with a long value are shortened", () => {
    expect(inhibitorsOf({ before: JSON.stringify({ a: "x".repeat(5000) }), after: '{"a":"y"}' })[0]?.length).toBeLessThan(220);
  });
});
