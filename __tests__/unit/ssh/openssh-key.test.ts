import { describe, expect, test } from "@jest/globals";

import { ed25519PublicKey, readOpensshKey } from "../../../src/ssh/openssh-key.js";
import { makeKey } from "./keys.js";

/** What stands between the first and the last line. */
function bodyOf(secret: string): string {
  return secret.trim().split("\n").slice(1, -1).join("\n");
}

function publicKeyOf(base64: string): string | undefined {
  const parts = readOpensshKey(base64);
  return parts && ed25519PublicKey(parts);
}

describe("an Ed25519 key without a passphrase", () => {
  const key = makeKey();
  const bytes = Buffer.from(bodyOf(key.secret), "base64");

  test("has the public key that ssh-keygen has made", () => {
    expect(publicKeyOf(bodyOf(key.secret))).toBe(key.public.trim());
  });

  test("is not taken with any bit of it wrong, but for its comment", () => {
    const comment = bytes.lastIndexOf("unit");
    const taken: number[] = [];
    for (let index = 0; index < bytes.length; index += 1) {
      const damaged = Buffer.from(bytes);
      damaged.writeUInt8(bytes.readUInt8(index) ^ 1, index);
      if (publicKeyOf(damaged.toString("base64")) !== undefined) taken.push(index);
    }
    // With the length before it: what fills up the block may be one byte, which then belongs to the comment.
    expect(taken.filter((index) => index < comment - 1 || index >= comment + 4)).toEqual([]);
    expect(taken).toContain(comment);
  });

  test("is not taken at any other length", () => {
    for (let length = 0; length < bytes.length; length += 1) expect(publicKeyOf(bytes.subarray(0, length).toString("base64"))).toBeUndefined();
    // Nor does ssh-keygen take what has something behind its end.
    expect(publicKeyOf(Buffer.concat([bytes, Buffer.from([1])]).toString("base64"))).toBeUndefined();
  });
});

test.each([
  ["an encrypted key", makeKey({ passphrase: "secret" }), "aes256-ctr"],
  ["an RSA key", makeKey({ type: "rsa" }), "none"],
  ["an ECDSA key", makeKey({ type: "ecdsa" }), "none"],
])("%s is left to ssh-keygen", (_, { secret }, cipher) => {
  expect(readOpensshKey(bodyOf(secret))?.cipher).toBe(cipher);
  expect(publicKeyOf(bodyOf(secret))).toBeUndefined();
});
