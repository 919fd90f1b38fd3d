// Nix's base 32: without e, o, t, u.
const alphabet = "0123456789abcdfghijklmnpqrsvwxyz";
const hashBytes = 32;

/** Returns whether this is a SHA-256 hash as it is in lock files: `sha256-` and base64. */
export function isSriHash(text: string): boolean {
  return /^sha256-[A-Za-z0-9+/]{43}=$/.test(text);
}

/**
 * Converts what `nix-store --query --hash` prints, `sha256:` and base 32 in Nix's own alphabet and order (the last character has
 * the lowest bits; `printHash32` in Nix's sources), to the form of lock files, `sha256-` and base64 (SRI). Throws an `Error` for
 * any other text.
 */
export function sriHash(printed: string): string {
  const text = printed.trim();
  if (isSriHash(text)) return text;
  const digits = /^sha256:([0-9a-z]{52})$/.exec(text)?.[1];
  if (digits === undefined) throw new Error(`not a SHA-256 hash of a store path: ${JSON.stringify(text.slice(0, 100))}`);
  let value = 0n;
  for (const digit of digits) {
    const number = alphabet.indexOf(digit);
    if (number === -1) throw new Error(`not a digit of Nix's base 32: ${digit}`);
    value = value * 32n + BigInt(number);
  }
  const bytes = Buffer.alloc(hashBytes);
  for (let index = 0; index < hashBytes; index += 1) {
    bytes[index] = Number(value & 0xffn);
    value >>= 8n;
  }
  if (value !== 0n) throw new Error(`too large for a SHA-256 hash: ${text}`);
  return `sha256-${bytes.toString("base64")}`;
}
