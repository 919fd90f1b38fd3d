declare const checked: unique symbol;

/** A path of the Nix store, `/nix/store/<hash>-<name>`, without anything below it. */
export type StorePath = string & { readonly [checked]: true };

// Hash and name as in Nix' own check: base 32 without e, o, t, u; a name of at most 211 characters.
const pattern = /^\/nix\/store\/[0-9abcdfghijklmnpqrsvwxyz]{32}-[0-9A-Za-z+\-._?=]{1,211}$/;

/** Returns whether the text is a path of the Nix store. */
export function isStorePath(text: string): text is StorePath {
  return pattern.test(text);
}

/** Parses a store path. Throws an `Error` that shows the text for anything else. */
export function storePath(text: string): StorePath {
  if (!isStorePath(text)) throw new Error(`not a Nix store path: ${JSON.stringify(text.slice(0, 300))}`);
  return text;
}

/** Parses a store path or an empty text, which is `undefined`. Throws as `storePath`. */
export function optionalStorePath(text: string | undefined): StorePath | undefined {
  return text === undefined || text === "" ? undefined : storePath(text);
}
