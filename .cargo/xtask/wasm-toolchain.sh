#!/bin/bash
# Makes a compiler for wasm32-unknown-unknown out of Debian's packages, for machines where rustup may not fetch the target.
#
#   usage: wasm-toolchain.sh FOLDER      then: FOLDER/cargo build --target wasm32-unknown-unknown
#
# Debian packages a recent rustc for its browsers (rustc-web), but no standard library for wasm. So the packages are unpacked
# into a private folder, nothing is installed, and the library is compiled once from the packaged source (under a minute on two
# cores). The active rustup toolchain lends its cargo and its rust-lld, and stays as it is.
set -euo pipefail

folder=${1:?usage: wasm-toolchain.sh FOLDER}
[ ! -x "$folder/cargo" ] || exit 0
mkdir -p "$(dirname "$folder")"
folder=$(cd "$(dirname "$folder")" && pwd)/$(basename "$folder")
# Made beside its place and moved there when whole, so that an interrupted or a second run never leaves half a toolchain.
work=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

if [ "$(id -u)" = 0 ]; then apt-get update -qq; fi
version=$(apt-cache policy rustc-web | sed -n 's/ *Candidate: //p')
case $version in '' | '(none)') echo "this Debian has no package rustc-web" >&2; exit 1 ;; esac
series=$(sed -E 's/^([0-9]+\.[0-9]+).*/\1/' <<<"$version")
llvm=$(apt-cache show "libstd-rust-web-$series=$version" | grep -oE 'libllvm[0-9.]+' | head -1)

mkdir packages
(cd packages && apt-get download -qq -o APT::Sandbox::User=root \
  "rustc-web=$version" "libstd-rust-web-$series=$version" "libstd-rust-web-dev=$version" "rust-web-src=$version" "$llvm")
for package in packages/*.deb; do
  case $package in
    */rust-web-src*) # only the library's source: the compiler's own is ten times that
      dpkg-deb --fsys-tarfile "$package" | tar -x --wildcards './usr/src/rustc-*/library' './usr/lib/rustlib/src' ;;
    *) dpkg-deb -x "$package" . ;;
  esac
done
rm -r packages usr/share

cat >rustc <<'WRAPPER'
#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
for libraries in "$here"/usr/lib/*-linux-gnu*; do break; done
LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} exec "$here/usr/bin/rustc" "$@"
WRAPPER
cat >cargo <<'WRAPPER'
#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
unset RUSTC RUSTC_WRAPPER
host=$(rustc -vV | sed -n 's/^host: //p')
linker=$(rustc --print sysroot)/lib/rustlib/$host/bin/rust-lld
export RUSTC="$here/rustc" CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="$linker"
exec cargo "$@"
WRAPPER
chmod +x rustc cargo

# Cargo compiles the standard library for any crate that asks for it; an empty one is enough.
mkdir -p once/src
echo '#![no_std]' >once/src/lib.rs
printf '[package]\nname = "once"\nedition = "2021"\n[workspace]\n' >once/Cargo.toml
(cd once && RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes CARGO_TARGET_DIR=out ../cargo build --quiet --release \
  -Zbuild-std=std,panic_abort --target wasm32-unknown-unknown)
library=usr/lib/rustlib/wasm32-unknown-unknown/lib
mkdir -p "$library"
mv once/out/wasm32-unknown-unknown/release/deps/*.rlib "$library/"
rm -r "$library"/libonce-* once usr/src usr/lib/rustlib/src

chmod 755 "$work"
mv -T "$work" "$folder" 2>/dev/null || [ -x "$folder/cargo" ]
