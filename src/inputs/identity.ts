import { parseCertificate } from "./single-inputs.js";
import type { Topic } from "../domain/topic.js";
import { parseKey } from "../ssh/key.js";

/** How the run authenticates itself to the machines. */
export type IdentityInputs = {
  readonly authentication: "key" | "agent" | "none";
  /** In the form that ssh reads; `undefined` where ssh authenticates without it. */
  readonly key: string | undefined;
  readonly certificate: string | undefined;
  readonly passphrase: string | undefined;
};

type IdentityName = "ssh-key" | "ssh-key-passphrase" | "ssh-certificate";

/** Parses key, passphrase and certificate, which only `ssh-auth: key` uses. Passes what is wrong to `refuse`. */
export function parseIdentityInputs(
  authentication: IdentityInputs["authentication"],
  read: (name: IdentityName) => string,
  refuse: (input: IdentityName, problem: string, topic?: Topic) => void,
): IdentityInputs {
  const without = { authentication, key: undefined, passphrase: undefined, certificate: undefined };
  if (authentication !== "key") {
    for (const name of ["ssh-key", "ssh-key-passphrase", "ssh-certificate"] as const) {
      if (read(name).trim() !== "") refuse(name, `is set, but ssh-auth: ${authentication} does not use it; remove it, or set ssh-auth to key`);
    }
    return without;
  }
  const certificate = parseCertificate(read("ssh-certificate"), (problem) => refuse("ssh-certificate", problem));
  const reading = parseKey(read("ssh-key"));
  // A passphrase may begin or end with a blank; a line end comes from a file.
  const passphrase = read("ssh-key-passphrase").replace(/\r?\n$/, "");
  if (reading.kind === "unusable") {
    refuse("ssh-key", reading.problem, reading.topic);
    return without;
  }
  if (reading.encrypted && passphrase === "") refuse("ssh-key", "is encrypted; set ssh-key-passphrase", "ssh-key-encrypted");
  return { authentication, key: reading.text, passphrase: reading.encrypted && passphrase !== "" ? passphrase : undefined, certificate };
}
