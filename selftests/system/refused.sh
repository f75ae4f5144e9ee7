#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Each reason why no node can be made here has a sentence of its own.
#
# where: uml
# timeout: 120

. "$(dirname "$0")/ockamd.inc"

# without FAMILY COMMAND...: sockets of the family are refused as systemd does it
without()
{
	python3 - "$@" <<-'EOP'
		import ctypes, os, sys
		lib = ctypes.CDLL("libseccomp.so.2")
		class Compare(ctypes.Structure):
		    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int),
		                ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]
		lib.seccomp_init.restype = ctypes.c_void_p
		context = ctypes.c_void_p(lib.seccomp_init(0x7fff0000))
		call = lib.seccomp_syscall_resolve_name(b"socket")
		family = (Compare * 1)(Compare(0, 4, int(sys.argv[1]), 0))
		if lib.seccomp_rule_add_array(context, 0x00050000 | 97, call, 1, family) or \
		   lib.seccomp_load(context):
		    sys.exit(99)
		os.execvp(sys.argv[2], sys.argv[2:])
	EOP
}

# modprobe_says SENTENCE
modprobe_says()
{
	printf '#!/bin/sh\necho "%s" >&2\nexit %s\n' "$1" "${2:-1}" >"$OCKAM_HOME.modprobe"
}

# installed_for RELEASE
installed_for()
{
	mkdir -p "/lib/modules/$1"
	echo "updates/dkms/ockam.ko.xz: kernel/crypto/gcm.ko.xz" >"/lib/modules/$1/modules.dep"
}

run_ok "with everything" ockam node create n1
run_ok "a node can be made" ockam node delete n1 -y

# ---- this process may not ----

it 70 "refused to this process by a seccomp filter" without 18 ockam node create n1
it 70 "AF_ASH: add it to RestrictAddressFamilies=" \
	without 18 ockam message send x --to /ip4/127.0.0.1/tcp/1/service/echo
it 70 "AF_NETLINK are refused to this process" without 16 ockam node create n1
it 70 "needs the capability CAP_SYS_ADMIN" \
	setpriv --bounding-set -sys_admin ockam node create n1
it 70 "needs root" \
	setpriv --reuid 65534 --clear-groups env OCKAM_HOME=/tmp/nobody ockam node create n1
limit=$(cat /proc/sys/user/max_net_namespaces)
echo 0 >/proc/sys/user/max_net_namespaces
it 70 "raise /proc/sys/user/max_net_namespaces" ockam node create n1
echo "$limit" >/proc/sys/user/max_net_namespaces

# ---- the module is not there ----

wait_for 5 module_unused
run_ok "the module is unloaded" rmmod ockam
mount -t tmpfs none /lib/modules
usual=$(cat /proc/sys/kernel/modprobe)
modprobe_says ""
chmod 755 "$OCKAM_HOME.modprobe"
echo "$OCKAM_HOME.modprobe" >/proc/sys/kernel/modprobe
it 70 "not installed in /lib/modules" ockam node create n1
installed_for 6.1.0-99-other
it 70 "installed for the kernel 6.1.0-99-other, and $(uname -r) runs" ockam node create n1
installed_for "$(uname -r)"
it 70 "a file of /etc/modprobe.d keeps it from that" ockam node create n1
modprobe_says "modprobe: ERROR: could not insert 'ockam': Key was rejected by service"
it 70 "only modules that are signed with a key it knows" ockam node create n1
modprobe_says "modprobe: ERROR: could not insert 'ockam': Operation not permitted"
it 70 "CAP_SYS_MODULE is missing, or the kernel is locked down" ockam node create n1
modprobe_says "modprobe: ERROR: could not insert 'ockam': Exec format error"
it 70 "built for another kernel than the running one" ockam node create n1
modprobe_says "modprobe: ERROR: something else"
it 70 "modprobe said: modprobe: ERROR: something else" ockam node create n1
said=$(ockamd node --name n1 --ready-fd 3 3>&1 >/dev/null 2>&1)
grep -q "^error: .*modprobe said: modprobe: ERROR: something else" <<<"$said"
ok $? "the node process says the same" "$said"
same "$(ls -A "$OCKAM_HOME/nodes" 2>/dev/null; ls /run/netns)" "" "nothing is left of all these"

# What loads it when it is asked to.
printf '#!/bin/sh\ninsmod %s/kmod/ockam.ko\n' "$OCKAM_MODULES" >"$OCKAM_HOME.modprobe"
run_ok "a module that can be loaded is" ockam node create n1
echo "$usual" >/proc/sys/kernel/modprobe
umount /lib/modules
run_ok "away" ockam reset -y
rm -f "$OCKAM_HOME".*
finish
