import { showBytes } from "../domain/bytes.js";

// The evaluation of one real NixOS takes some 550 MB; Nix itself, a compiler and what already runs need the rest.
const scarceKibibytes = 1.5 * 1024 * 1024;

/** Warns about little available memory on a machine; `undefined` where it is enough, or the machine does not report it. */
export function memoryWarning(memoryKibibytes: number | undefined): string | undefined {
  if (memoryKibibytes === undefined || memoryKibibytes >= scarceKibibytes) return undefined;
  return `only ${showBytes(memoryKibibytes * 1024)} of memory are available on the machine; evaluating a NixOS configuration needs about 0.6 GiB, building it more. Add memory or swap if the build is killed`;
}
