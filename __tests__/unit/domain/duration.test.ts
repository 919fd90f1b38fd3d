import { expect, test } from "@jest/globals";

import { renderDuration } from "../../../src/domain/duration.js";

test.each([
  [0, "0.0 s"],
  [0.44, "0.4 s"],
  [9.94, "9.9 s"],
  [9.96, "10 s"],
  [59.4, "59 s"],
  [59.6, "1 min 0 s"],
  [134, "2 min 14 s"],
  [3700, "61 min 40 s"],
])("%d seconds are %s", (seconds, text) => {
  expect(renderDuration(seconds)).toBe(text);
});
