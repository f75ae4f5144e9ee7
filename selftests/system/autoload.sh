#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Anybody's socket() loads the module; with the switch in the file that is
# installed for modprobe it does not, and modprobe ockam still does.
#
# where: vm

. "$(dirname "$0")/ockamd.inc"

switch=/etc/modprobe.d/ockam.conf

# As a user without privileges: prints what socket(18, ...) gives.
open_socket()
{
	setpriv --reuid 65534 --regid 65534 --clear-groups python3 -c '
import errno, socket
try:
    socket.socket(18, socket.SOCK_DGRAM)
    print("opened")
except OSError as error:
    print(errno.errorcode[error.errno])'
}

loaded()
{
	[ -e /sys/module/ockam ]
}

unload()
{
	! loaded || { wait_for 10 module_unused && rmmod ockam; }
}

unload
ok $? "the module is unloaded"
mkdir -p /etc/modprobe.d
cp "$OCKAM_TOP/scripts/modprobe.conf" $switch
same "$(open_socket)" opened "a user's socket() loads the module, as installed"
loaded
ok $? "and it is loaded"
unload
ok $? "it is unloaded"

sed -i 's/^#blacklist/blacklist/' $switch
same "$(open_socket)" EAFNOSUPPORT "with the switch, a user's socket() is refused"
! loaded
ok $? "and loads nothing"
modprobe -q net-pf-16-proto-16-family-ockam
! loaded
ok $? "nor does a question for the netlink family"
run_ok "modprobe ockam loads it" modprobe ockam
same "$(open_socket)" opened "and then the user has his socket"
rm -f $switch
finish
