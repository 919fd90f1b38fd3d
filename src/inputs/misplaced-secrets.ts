// How private keys begin, as text and as base64 of the whole file or of its first line.
const beginnings = /PRIVATE KEY-|PuTTY-User-Key-File|AGE-SECRET-KEY-|LS0tLS1CRUdJTi|b3BlbnNzaC1rZXktdjE/;
// A line of base64 in a PEM body has 64 or 70 characters.
const shortestLine = 40;

/**
 * Returns whether a text that is not meant to hold the ssh key does so: a private key of any kind, or a line of this one. Such a text
 * must not be shown and not be used.
 */
export function holdsPrivateKey(text: string, sshKey: string): boolean {
  if (beginnings.test(text)) return true;
  // ssh-key may contain something else by mistake, such as a public key that belongs into other inputs.
  if (!beginnings.test(sshKey)) return false;
  return sshKey.split(/\s+/).some((line) => line.length >= shortestLine && text.includes(line));
}

/** The problem of an input that contains a private key. */
export const misplacedKey =
  "contains a private key, which belongs in ssh-key only; its text is not shown. Store the key as a secret, and replace it if it was not one";
