#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# libockam as programs get it: installed, found by pkg-config, used from C and
# C++; it exports what its headers declare and nothing else.

. "$(dirname "$0")/../lib/tap.inc"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build=${OCKAM_BUILD:-$OCKAM_TOP/build}
unset MAKEFLAGS MAKELEVEL MFLAGS

make -s --no-print-directory -C "$OCKAM_TOP/tools" BUILD="$build/tools" \
	DESTDIR="$work/staged" PREFIX=/opt/ockam install >"$work/log" 2>&1
ok $? "it installs" "$(tail -5 "$work/log")"

export PKG_CONFIG_PATH=$work/staged/opt/ockam/lib/pkgconfig
export PKG_CONFIG_SYSROOT_DIR=$work/staged
lib=$work/staged/opt/ockam/lib
include=$work/staged/opt/ockam/include
read -ra flags <<<"$(pkg-config --cflags --libs libockam)"
[ ${#flags[@]} -gt 1 ]
ok $? "pkg-config knows it" "${flags[*]}"

# ---- what it exports ----

nm -D --defined-only "$lib/libockam.so" | sed -n 's/.* T \([^@]*\).*/\1/p' | sort >"$work/has"
cat "$include"/ockam/*.h | grep -v '^#' |
	grep -oE '\bockam_[a-z_]+\(' | tr -d '(' | sort -u >"$work/declared"
# Helpers that only the library's own code calls are declared beside the others.
comm -13 "$work/declared" "$work/has" >"$work/more"
[ -s "$work/has" ] && [ ! -s "$work/more" ]
ok $? "nothing is exported that no header declares" "$(cat "$work/more")"
grep -vE '^ockam_err_(clean|prefix|line)$' "$work/declared" | comm -23 - "$work/has" >"$work/missing"
[ ! -s "$work/missing" ]
ok $? "what the headers declare is exported" "$(cat "$work/missing")"
needed=$(objdump -p "$lib/libockam.so" | sed -n 's/ *NEEDED *//p' | sort | tr '\n' ' ')
[ "$needed" = "libc.so.6 libcrypto.so.3 libjson-c.so.5 " ]
ok $? "it needs no library that it does not use" "$needed"
[ ! -e "$lib/libockam.a" ]
ok $? "the static library, which has no stable interface, stays at home"

# ---- programs ----

cat >"$work/program.c" <<'EOP'
#include <ockam/ockam.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
	static char text[OCKAM_ROUTE_TEXT];
	struct ockam_control *control = NULL;
	struct ockam_route route;
	struct ockam_err err;
	int ret;

	ret = ockam_route_parse(&route, "1#127.0.0.1:4000 => api", &err);
	if (ret)
		return 1;
	ockam_route_format(&route, text);
	puts(text);
	ret = ockam_control_open("/nonexistent/home", "n1", &control, &err);
	printf("%d %s\n", ret == -ENOENT, err.text[0] ? "said why" : "no reason");
	ret = ockam_socket_open("a name that is far too long for an address, for it has more than the one hundred and twenty-two bytes that a socket address takes: no", 0, &err);
	printf("%d\n", ret < 0);
	return control != NULL;
}
EOP
cp "$work/program.c" "$work/program.cc"
expected=$'1#127.0.0.1:4000 => 0#api\n1 said why\n1'
for language in c c++; do
	compiler=cc source=$work/program.c
	[ $language = c ] || compiler=c++ source=$work/program.cc
	$compiler -Wall -Wextra -Werror -o "$work/program" "$source" "${flags[@]}" 2>"$work/log"
	ok $? "a program in ${language^^} compiles without a warning" "$(head -5 "$work/log")"
	out=$(LD_LIBRARY_PATH=$lib "$work/program")
	[ "$out" = "$expected" ]
	ok $? "and runs" "$out"
done

make -s --no-print-directory -C "$OCKAM_TOP/tools" BUILD="$build/tools" \
	DESTDIR="$work/staged" PREFIX=/opt/ockam uninstall >"$work/log" 2>&1
left=$(find "$work/staged" ! -type d)
[ -z "$left" ]
ok $? "it uninstalls, and nothing is left" "$left"
finish
