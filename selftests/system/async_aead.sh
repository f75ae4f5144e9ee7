#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# With a cipher whose every operation ends later and elsewhere: the kernel's
# template cryptd around the one that is there. Who has made that by AF_ALG finds
# that it is preferred for "gcm(aes)" from then on: also by the module, when it is
# loaded anew. It stays, so this file comes last.
#
# Not on the debug kernel: there cryptd fails the kernel's own test of ciphers, and
# pcrypt takes two locks of a class one in the other, which ends lockdep.
#
# where: uml
# last: yes
# timeout: 240

. "$(dirname "$0")/ockamd.inc"

# Make it; is it first among those for gcm(aes)? What is made is not called as it
# was asked for, so bind() fails.
preferred()
{
	python3 -c '
import contextlib, socket
with contextlib.suppress(FileNotFoundError):
    socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET).bind(("aead", "cryptd(gcm(aes))"))
' && [[ $(first driver) == "cryptd("* ]]
}

# first FIELD: of the cipher for gcm(aes) that has the highest priority
first()
{
	awk -v field="$1" '
		$1 == "name" { name = $3 }
		{ value[$1] = $3 }
		$1 == "type" && name == "gcm(aes)" && value["priority"] + 0 > best {
			best = value["priority"] + 0
			found = value[field]
		}
		END { print found }' /proc/crypto
}

run_ok "nothing is loaded" rmmod ockam
preferred
ok $? "cryptd is preferred" "$(first driver) is"
unused=$(first refcnt)
run_ok "the module is loaded" insmod "$OCKAM_MODULES/kmod/ockam.ko"
for program in test_channel test_change test_confirm test_move test_handshake_end test_hangup; do
	run_ok "$program with $(first driver)" $program
done
# The programs' keys are always the same, those of nodes are not.
run_ok "nonces are watched" sh -c "echo 1 >/sys/module/ockam/parameters/nonce_monitor"
run_ok "a node" ockamctl node create n1
run_ok "another one" ockamctl node create n2
channel=$(ockamctl secure-channel create --from n1 --to /node/n2/service/api)
ok $? "a channel between them" "$channel"
same "$(in_node n1 traffic -t "${channel#/service/},echo" -n 500 -w 16 -s 10,100000,0,5000,65536 2>&1)" \
	"done sent=500 replies=500 served=0" "500 messages and answers, 16 under way"
[ "$(first refcnt)" -gt "$unused" ]
ok $? "the module has used it" "$unused before, $(first refcnt) now: $(first driver)"
# The end of a channel and of a node while much is under way.
for victim in channel node; do
	in_node n1 traffic -t "${channel#/service/},echo" -n 100000 -w 16 -s 50000 -T 5 \
		>"$OCKAM_HOME/said" 2>&1 &
	sender=$!
	before=$(counter n1 channel_packets_tx)
	more()
	{
		[ "$(counter n1 channel_packets_tx)" -gt $((before + 20)) ]
	}
	wait_for 30 more
	ok $? "traffic" "$(cat "$OCKAM_HOME/said")"
	if [ $victim = channel ]; then
		run_ok "the channel ends" ockamctl secure-channel delete "${channel#/service/}" --at n1 -y
	else
		run_ok "the other node ends" ockamctl node delete n2 -y
	fi
	! wait $sender
	ok $? "the sender fails" "$(cat "$OCKAM_HOME/said")"
	[ $victim = node ] ||
		channel=$(ockamctl secure-channel create --from n1 --to /node/n2/service/api)
done
finish
