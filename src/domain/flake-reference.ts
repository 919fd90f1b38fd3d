/** Attributes of a flake reference, in the order in which they are rendered; one without a value is left out. */
export type ReferenceAttributes = Readonly<Record<string, string | number | undefined>>;

/** Renders a flake reference with attributes: `path:/nix/store/…-source?dir=nixos&narHash=sha256-…`. */
export function renderReference(address: string, attributes: ReferenceAttributes = {}): string {
  const query = Object.entries(attributes).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${encodeValue(String(value))}`]));
  return query.length === 0 ? address : `${address}?${query.join("&")}`;
}

// A slash needs no escape in a query, and reads better without (RFC 3986, 3.4).
function encodeValue(text: string): string {
  return encodeURIComponent(text).replaceAll("%2F", "/");
}

/** Renders what nix calls an installable: an attribute of the outputs of a flake, `path:/nix/store/…-source#web1`. */
export function installable(reference: string, attribute: string): string {
  return `${reference}#${attribute}`;
}

/** Returns whether a flake reference has a scheme, such as `github:org/repo`, and so is neither a directory nor a name of the registry. */
export function hasScheme(reference: string): boolean {
  return /^[a-z+]+:/.test(reference);
}

/** A flake reference without its attributes: `nixpkgs` of `nixpkgs?dir=lib`. */
export function withoutAttributes(reference: string): string {
  return reference.replace(/[?#].*/, "");
}
