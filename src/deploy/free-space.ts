import { renderBytes } from "../domain/bytes.js";

// A system with another kernel or after an update of nixpkgs brings some hundred MiB beside the old one, and the sources of
// nixpkgs, unpacked, some 200 MiB more: with less than 1 GiB it may not fit.
const scarceKibibytes = 1024 * 1024;

/** Returns a warning about little free space for a machine's store; `undefined` where it is enough or unknown. */
export function spaceWarning(freeKibibytes: number | undefined): string | undefined {
  if (freeKibibytes === undefined || freeKibibytes >= scarceKibibytes) return undefined;
  return `only ${renderBytes(freeKibibytes * 1024)} are free for the Nix store on the machine: the new system may not fit. Free space with \`nix-collect-garbage -d\` on the machine`;
}
