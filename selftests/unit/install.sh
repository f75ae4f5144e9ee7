#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# make install into an empty directory brings everything that the documents
# name, and make uninstall takes away every file of it and no other.

. "$(dirname "$0")/../lib/tap.inc"

dir=$(mktemp -d "${TMPDIR:-/tmp}/install.XXXXXX")
trap 'rm -rf "$dir"' EXIT

run_make()
{
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS -u ASAN_OPTIONS \
		make -s --no-print-directory -C "$OCKAM_TOP" \
		BUILD="${OCKAM_BUILD:-$OCKAM_TOP/build}" DESTDIR="$dir" "$@" 2>&1
}

said=$(run_make install)
ok $? "make install" "$said"
for file in bin/ockamctl bin/ockam sbin/ockamd lib/libockam.so lib/modprobe.d/ockam.conf \
	lib/pkgconfig/libockam.pc include/linux/ockam.h include/linux/ockam_netlink.h \
	share/man/man8/ockamctl.8 share/man/man8/ockamd.8 share/man/man7/ockam.7; do
	[ -e "$dir/usr/local/$file" ]
	ok $? "there is $file"
done
same "$(find "$dir/lib/modules" -name '*.ko' -printf '%f\n')" ockam.ko "and the module alone"
same "$(find "$dir" -type f ! -perm -444)" "" "all can be read"

mkdir -p "$dir/usr/local/lib/modprobe.d"
touch "$dir/usr/local/lib/modprobe.d/other.conf" "$dir/usr/local/bin/other"
said=$(run_make uninstall)
ok $? "make uninstall" "$said"
same "$(cd "$dir" && find . ! -type d | sort | xargs)" \
	"./usr/local/bin/other ./usr/local/lib/modprobe.d/other.conf" "leaves what others put there, and nothing else"
finish
