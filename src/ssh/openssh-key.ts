import { createPrivateKey, createPublicKey } from "node:crypto";

/** An OpenSSH private key, taken apart; `secret` is encrypted unless the cipher is `none`. `isPlain`: it has one key, and nothing else in it speaks of a passphrase. */
export type OpensshKey = { readonly cipher: string; readonly isPlain: boolean; readonly publicKey: Buffer; readonly secret: Buffer };

/** Takes apart the base64 of an OpenSSH private key; `undefined` when its parts do not fill it. Source: PROTOCOL.key of OpenSSH. */
export function readOpensshKey(base64: string): OpensshKey | undefined {
  const bytes = Buffer.from(base64, "base64");
  const magic = "openssh-key-v1\0";
  if (bytes.subarray(0, magic.length).toString("latin1") !== magic) return undefined;
  const parts = new Parts(bytes.subarray(magic.length));
  const cipher = parts.next();
  const derivation = parts.next();
  const options = parts.next();
  const keys = parts.number();
  const publicKey = parts.next();
  const secret = parts.next();
  if (!cipher || !derivation || !options || keys === undefined || !publicKey || !secret) return undefined;
  const isPlain = derivation.toString("latin1") === "none" && options.length === 0 && keys === 1 && parts.rest().length === 0;
  return { cipher: cipher.toString("latin1"), isPlain, publicKey, secret };
}

const ed25519 = "ssh-ed25519";
// What precedes the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410).
const pkcs8 = Buffer.from("302e020100300506032b657004220420", "hex");

/**
 * The public key of an Ed25519 key without a passphrase, as `ssh-keygen -y` prints it; `undefined` for any other key, and for one whose
 * halves do not belong together.
 */
export function ed25519PublicKey({ cipher, isPlain, publicKey, secret }: OpensshKey): string | undefined {
  if (cipher !== "none" || !isPlain || secret.length % 8 !== 0) return undefined;
  const parts = new Parts(secret);
  const checks = [parts.number(), parts.number()];
  const type = parts.next()?.toString("latin1");
  const half = parts.next();
  const both = parts.next();
  const comment = parts.next();
  if (checks[0] === undefined || checks[0] !== checks[1] || type !== ed25519 || half?.length !== 32 || both?.length !== 64 || comment === undefined)
    return undefined;
  // Filled up to a whole block with the bytes 1, 2, 3, …
  if (!parts.rest().every((byte, index) => byte === index + 1)) return undefined;
  const derived = createPublicKey(createPrivateKey({ key: Buffer.concat([pkcs8, both.subarray(0, 32)]), format: "der", type: "pkcs8" }));
  const known = derived.export({ format: "der", type: "spki" }).subarray(-32);
  const told = new Parts(publicKey);
  const isTold = told.next()?.toString("latin1") === ed25519 && told.next()?.equals(known) === true && told.rest().length === 0;
  return isTold && known.equals(half) && known.equals(both.subarray(32))
    ? [ed25519, publicKey.toString("base64"), comment.toString("utf8")].join(" ").trim()
    : undefined;
}

/** Numbers of 32 bits, and parts that begin with their length in one. */
class Parts {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  number(): number | undefined {
    if (this.#position + 4 > this.#bytes.length) return undefined;
    this.#position += 4;
    return this.#bytes.readUInt32BE(this.#position - 4);
  }

  next(): Buffer | undefined {
    const length = this.number();
    if (length === undefined || this.#position + length > this.#bytes.length) return undefined;
    this.#position += length;
    return this.#bytes.subarray(this.#position - length, this.#position);
  }

  rest(): Buffer {
    return this.#bytes.subarray(this.#position);
  }
}
