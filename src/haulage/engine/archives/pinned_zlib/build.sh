#!/bin/sh
# Builds pinned_zlib.wasm: ./build.sh FOLDER, where FOLDER holds the source of zlib 1.2.13 as any distribution gives it.
# Needs clang and lld with the wasm32 target, and patch.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
for name in deflate.c deflate.h trees.c trees.h zutil.h zlib.h zconf.h; do cp "$1/$name" "$work/"; done
(cd "$work" && patch -s -p1 < "$here/families.patch")
clang --target=wasm32 -O3 -mbulk-memory -ffreestanding -nostdlib -fno-strict-aliasing -w -DZ_SOLO -DNO_GZIP -I"$work" \
    "$here/module.c" "$work/deflate.c" "$work/trees.c" -o "$here/pinned_zlib.wasm" \
    -Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=65536 \
    -Wl,--export=start -Wl,--export=pack -Wl,--export=input_at -Wl,--export=output_at
