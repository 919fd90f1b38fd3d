import { showBytes } from "../domain/bytes.js";

// A system with another kernel or after an update of nixpkgs brings some hundred MiB beside the old one, and the sources of
// nixpkgs, unpacked, some 200 MiB more: with less than 1 GiB it may not fit.
const scarceKibibytes = 1024 * 1024;

/** Says that little is free on the disk of a machine's store, or nothing where it is enough or the machine cannot tell. */
export function spaceWarning(freeKibibytes: number | undefined): string | undefined {
  if (freeKibibytes === undefined || freeKibibytes >= scarceKibibytes) return undefined;
  return `only ${showBytes(freeKibibytes * 1024)} are free for the Nix store on the machine: the new system may not fit. Free some with \`nix-collect-garbage -d\` on the machine`;
}
