import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type KeyPair = { readonly secret: string; readonly public: string; readonly fingerprint: string };

/** Makes a key pair with the real ssh-keygen. */
export function makeKey(options: { readonly type?: "ed25519" | "rsa" | "ecdsa"; readonly passphrase?: string; readonly form?: "PEM" | "PKCS8" } = {}): KeyPair {
  const directory = mkdtempSync(join(tmpdir(), "unit-key-"));
  const file = join(directory, "key");
  try {
    const form = options.form === undefined ? [] : ["-m", options.form];
    const size = options.type === "rsa" ? ["-b", "2048"] : [];
    const args = ["-q", "-t", options.type ?? "ed25519", ...size, ...form, "-N", options.passphrase ?? "", "-C", "unit", "-f", file];
    execFileSync("ssh-keygen", args);
    return {
      secret: readFileSync(file, "utf8"),
      public: readFileSync(`${file}.pub`, "utf8"),
      fingerprint: execFileSync("ssh-keygen", ["-l", "-f", `${file}.pub`], { encoding: "utf8" }).split(" ")[1] ?? "",
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
