import { renderBytes } from "../domain/bytes.js";

// Evaluating one real NixOS takes about 550 MB; the rest is for Nix itself, a compiler and running services.
const scarceKibibytes = 1.5 * 1024 * 1024;

/** Warns about little available memory on a machine; `undefined` where it is enough, or the machine does not report it. */
export function memoryWarning(memoryKibibytes: number | undefined): string | undefined {
  if (memoryKibibytes === undefined || memoryKibibytes >= scarceKibibytes) return undefined;
  return `only ${renderBytes(memoryKibibytes * 1024)} of memory are available on the machine; evaluating a NixOS configuration needs about 0.6 GiB, building it more. Add memory or swap if the build is killed`;
}
