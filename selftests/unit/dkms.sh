#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# DKMS builds and installs ockam.ko and nothing else, where KUnit is on too, and
# leaves a kernel out that is not supported (status 77) instead of failing.
# All in trees of its own: the host's are not touched.

. "$(dirname "$0")/../lib/tap.inc"

dir=$(mktemp -d "${TMPDIR:-/tmp}/dkms.XXXXXX")
trap 'rm -rf "$dir"' EXIT
kernel=$("$OCKAM_TOP/scripts/kernel-dir")
release=$(sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' "$kernel/include/generated/utsrelease.h")
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$OCKAM_TOP/dkms.conf")
mkdir -p "$dir"/{tree,source,install,tmp}
mkdir "$dir/source/ockam-$version"
(cd "$OCKAM_TOP" && git ls-files -co --exclude-standard 2>/dev/null ||
	find . -path ./build -prune -o -type f -print) | (cd "$OCKAM_TOP" &&
	tar -c --verbatim-files-from --ignore-failed-read -T -) 2>/dev/null |
	tar -x -C "$dir/source/ockam-$version"

run_dkms()
{
	local command=$1

	shift
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS TMPDIR="$dir/tmp" dkms "$command" \
		-m ockam -v "$version" --dkmstree "$dir/tree" \
		--sourcetree "$dir/source" --installtree "$dir/install" "$@" 2>&1
}

# excluded KERNEL: DKMS leaves it out
excluded()
{
	local said status

	said=$(run_dkms build -k "$1" --kernelsourcedir "$kernel")
	status=$?
	same "$status" 77 "$1 is left out"
	[ "$status" = 77 ] || sed 's/^/#   /' <<<"$said"
}

said=$(run_dkms add)
ok $? "the source is added" "$said"
for other in 5.10.0-33-amd64 6.0.0-1-amd64 6.20.1-amd64 7.4-amd64 7.10.2+deb14-amd64 8.1.0-amd64; do
	excluded "$other"
done

range=$(sed -n 's/^BUILD_EXCLUSIVE_KERNEL="\(.*\)"/\1/p' "$OCKAM_TOP/dkms.conf")
for other in 6.1.0-57-amd64 6.12.117+deb12-amd64 6.19.0-rc1 7.2.13+deb14-amd64 7.3-amd64; do
	[[ $other =~ $range ]]
	ok $? "$other is not"
done

export CONFIG_KUNIT=m
said=$(run_dkms build -k "$release" --kernelsourcedir "$kernel")
ok $? "it builds for $release, with KUnit on" "$said"
unset CONFIG_KUNIT
same "$(sed -n 's#^ *LD \[M\] .*/\(.*\.ko\)$#\1#p' "$dir/tree/ockam/$version/$release"/*/log/make.log)" \
	ockam.ko "nothing but ockam.ko is built"
mkdir -p "$dir/install/$release"
said=$(run_dkms install -k "$release" --kernelsourcedir "$kernel" --no-depmod)
ok $? "it is installed" "$said"
same "$(find "$dir/install" -name '*.ko*' -printf '%f\n' | sed 's/\..z$//')" ockam.ko \
	"nothing but ockam.ko is installed"
said=$(run_dkms remove --all --no-depmod)
ok $? "and removed" "$said"
same "$(find "$dir/install" -type f)" "" "without a rest"
finish
