import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { check } from "./command.js";

export type SshKey = { readonly secret: string; readonly public: string };

/** Makes a key pair with ssh-keygen. */
export async function createSshKey(
  options: { readonly type?: "ed25519" | "ecdsa" | "rsa"; readonly passphrase?: string; readonly comment?: string } = {},
): Promise<SshKey> {
  const directory = mkdtempSync(path.join(tmpdir(), "fleet-key-"));
  try {
    const file = path.join(directory, "key");
    await check("ssh-keygen", ["-q", "-t", options.type ?? "ed25519", "-N", options.passphrase ?? "", "-C", options.comment ?? "fleet", "-f", file]);
    return { secret: readFileSync(file, "utf8"), public: readFileSync(`${file}.pub`, "utf8") };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
