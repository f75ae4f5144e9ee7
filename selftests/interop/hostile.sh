#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# A kernel node and a peer that does everything wrong (hostile.py): each is
# refused for its own reason, nothing stays, nobody else notices.
#
# where: uml
# timeout: 300

. "$(dirname "$0")/../system/ockamd.inc"

cd "$(dirname "$0")" || exit 1
run_ok "a kernel node starts" ockamctl node create n1
while IFS=$'\t' read -r result what why; do
	[ "$result" = pass ]
	ok $? "$what" "$why"
done < <(python3 hostile.py 2>"$OCKAM_HOME/err"; echo $? >"$OCKAM_HOME/status")
same "$(cat "$OCKAM_HOME/status")" 0 "the hostile peer came to its end"
sed 's/^/# /' "$OCKAM_HOME/err"
dmesg >"$OCKAM_HOME/dmesg"
run_ok "no secret key is in a log" python3 ../system/wire.py written "$OCKAM_HOME/secrets" \
	"$OCKAM_HOME/database.sqlite3" "$OCKAM_HOME"/nodes/n1/*.log "$OCKAM_HOME/dmesg"
finish
