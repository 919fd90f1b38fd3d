import { expect, test } from "@jest/globals";

import { renderBytes } from "../../../src/domain/bytes.js";

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1.0 KiB"],
  [1536, "1.5 KiB"],
  [16_200_000, "15.4 MiB"],
  [300 * 1024 ** 2, "300.0 MiB"],
  [2 * 1024 ** 3, "2.0 GiB"],
  [3 * 1024 ** 5, "3072.0 TiB"],
])("%d bytes are %s", (bytes, text) => {
  expect(renderBytes(bytes)).toBe(text);
});
