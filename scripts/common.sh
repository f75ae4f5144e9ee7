# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Sourced by the scripts here: where things are kept, and how to speak.

ockam_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
ockam_cache=${OCKAM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ockam-linux}

ockam_say()
{
	echo "# $*" >&2
}

ockam_die()
{
	echo "error: $*" >&2
	exit 1
}

# Version of the installed linux-source package.
ockam_source_version()
{
	dpkg-query -W -f '${Version}' linux-source-6.1 2>/dev/null ||
		ockam_die "linux-source-6.1 is not installed; run scripts/install-deps"
}

# Hash of the patches for one kind of kernel, "*" for all.
ockam_patch_hash()
{
	(cd "$ockam_top/selftests/kernels" && cat $1-*.patch 2>/dev/null) |
		sha256sum | cut -c1-12
}

# Unpack the kernel source if needed and print its directory.
ockam_kernel_source()
{
	local version dir patch

	version=$(ockam_source_version)
	# Its own directory for each set of patches: somebody may be building
	# from another one at the moment.
	dir=$ockam_cache/kernels/source-$version-$(ockam_patch_hash "*")
	if [ ! -f "$dir/.complete" ]; then
		mkdir -p "$ockam_cache/kernels"
		exec 8>"$ockam_cache/kernels/.lock-source"
		flock 8
	fi
	if [ ! -f "$dir/.complete" ]; then
		ockam_say "unpacking the kernel source (once)"
		rm -rf "$dir"
		mkdir -p "$dir"
		tar -C "$dir" --strip-components=1 \
			-xf /usr/src/linux-source-6.1.tar.xz
		for patch in "$ockam_top/selftests/kernels"/*.patch; do
			patch -s -d "$dir" -p1 <"$patch" ||
				ockam_die "${patch##*/} does not apply"
		done
		touch "$dir/.complete"
		exec 8>&-
	fi
	echo "$dir"
}

# The make target that a configuration starts from: the debug kernel has
# nothing but what its file names, User-Mode Linux takes the defaults.
ockam_kernel_base()
{
	case $1 in
	debug)	echo allnoconfig ;;
	*)	echo alldefconfig ;;
	esac
}

# Build directory of one kernel, named after everything it is made from.
ockam_kernel_dir()
{
	local hash

	hash=$({ cat "$ockam_top/selftests/kernels/$1.config"
		 ockam_patch_hash "$1"; } | sha256sum | cut -c1-12)
	echo "$ockam_cache/kernels/$1-$(ockam_source_version)-$hash"
}

# What the vm boots: OCKAM_VM_KERNEL is one of debian-kernel's names, and this
# prints the directory that the kernel is unpacked in. Nothing: an installed one.
ockam_vm_root()
{
	[ -z "${OCKAM_VM_KERNEL:-}" ] ||
		"$ockam_top/scripts/debian-kernel" -i "$OCKAM_VM_KERNEL"
}

# The newest installed Debian 6.1 kernel that has headers: what the module is
# built against unless KERNELDIR says otherwise, and what the vm boots unless
# OCKAM_VM_VERSION names another one that is installed.
ockam_vm_version()
{
	local dir version=${OCKAM_VM_VERSION:-}

	if [ -n "$version" ]; then
		[ -d "/lib/modules/$version/build/" ] ||
			ockam_die "no headers of the kernel $version (OCKAM_VM_VERSION) are installed"
		echo "$version"
		return
	fi
	dir=$(ls -d /lib/modules/6.1.*-amd64/build 2>/dev/null | grep -v cloud |
		sort -V | tail -n1)
	[ -n "$dir" ] ||
		ockam_die "no Debian 6.1 kernel headers; run scripts/install-deps"
	dir=${dir%/build}
	echo "${dir##*/}"
}
