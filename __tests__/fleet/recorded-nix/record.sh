#!/bin/sh
# Makes a small flake in a Git repository, with one more flake in a subdirectory, and prints what this machine's Nix says of them.
# Argument: DIRECTORY, whose dep/ and fleet/ are removed first. Prints each answer below a line "== WHAT".
# shellcheck disable=SC2016 # the expressions of Nix are not the shell's
set -eu
directory=$1
rm -rf "$directory/dep" "$directory/fleet"
mkdir -p "$directory/dep" "$directory/fleet/fleet/hosts" "$directory/fleet/fleet/lib"
cd "$directory/fleet/fleet"
x='derivation { name = "x"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo ${self} > $out" ]; }'
echo '{ outputs = _: { text = "dep"; }; }' > "$directory/dep/flake.nix"
echo '{ outputs = _: { text = "lib"; }; }' > lib/flake.nix
echo "{ inputs.dep.url = \"path:$directory/dep\"; outputs = { self, dep }: { x = $x; text = dep.text; }; }" > flake.nix
echo "{ inputs.dep.url = \"path:$directory/dep\"; inputs.lib.url = \"path:../lib\"; outputs = { self, dep, lib }: { x = $x; }; }" > hosts/flake.nix
git init -q
git add --all
nix flake lock .
nix flake lock ./hosts
git add --all
git commit -q -m one
nix-collect-garbage > /dev/null 2>&1

echo '== version'
nix --version
echo '== metadata'
nix flake metadata --json .
echo '== metadata-dirty'
echo >> flake.nix
nix flake metadata --json .
git checkout -q flake.nix
echo '== metadata-subdirectory'
nix flake metadata --json ./hosts
echo '== lock-subdirectory'
cat hosts/flake.lock
echo '== archive'
nix flake archive --json . | tee "$directory/archive"
echo '== archive-subdirectory'
nix flake archive --json ./hosts
path=$(jq -r .path "$directory/archive")
hash=$(nix hash to-sri --type sha256 "$(nix-store --query --hash "$path")")
reference="path:$path?rev=$(git rev-parse HEAD)&revCount=1&lastModified=$(git log -1 --format=%ct)&narHash=$hash"
echo '== metadata-path-reference'
nix flake metadata --json "$reference"
echo '== path-info'
nix path-info --json "$path"
echo '== path-info-format-2'
nix path-info --json --json-format 2 "$path" || true
echo '== build'
nix build --json --no-link "$reference#x" | tee "$directory/built"
echo '== path-info-built'
nix path-info --json "$(jq -r '.[0].outputs.out' "$directory/built")"
