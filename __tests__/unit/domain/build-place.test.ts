import { expect, test } from "@jest/globals";

import { evaluatesHere, wayOf, type Place, type Way } from "../../../src/domain/build-place.js";

test.each<[Place, Place, Place | undefined, Place | undefined, Way]>([
  ["auto", "auto", undefined, undefined, "rebuilt-there"],
  ["auto", "auto", undefined, "auto", "rebuilt-there"],
  ["auto", "auto", undefined, "runner", "built-here"],
  ["auto", "runner", undefined, "target", "realised-there"],
  ["target", "auto", undefined, "runner", "rebuilt-there"],
  ["target", "runner", undefined, "runner", "realised-there"],
  ["runner", "auto", undefined, "target", "built-here"],
  ["runner", "auto", "target", undefined, "rebuilt-there"],
  ["target", "auto", "runner", undefined, "built-here"],
  ["runner", "auto", "auto", "target", "built-here"],
])("with build-on %s and evaluate-on %s, a target that says %s and a flake that says %s: %s", (buildOn, evaluateOn, own, flake, way) => {
  expect(wayOf({ buildOn, evaluateOn }, own, flake)).toBe(way);
  expect(evaluatesHere(way)).toBe(way !== "rebuilt-there");
});
