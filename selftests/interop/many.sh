#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Fifty channels of one kernel node with Rust nodes at once, begun by either
# side, all with traffic at the same time; some are closed by either side
# meanwhile, and the others do not notice.
#
# where: uml
# long: debug
# timeout: 240

. "$(dirname "$0")/nodes.inc"

ours=35 theirs=15 messages=100

run_ok "a kernel node starts" ockamctl node create n1
port=$(node_port n1)
for r in r1 r2 r3; do
	run_ok "a Rust node starts" peer_start $r listen
done

for ((i = 0; i < ours; i++)); do
	begin "create$i" ockamctl secure-channel create --from n1 --timeout 60s \
		--to "$(rust_route r$((i % 3 + 1)))/service/api"
done
bad=
for ((i = 0; i < ours; i++)); do
	ended "create$i" || bad="$bad $said"
	channel[i]=${said#/service/}
done
same "$bad" "" "$ours channels from the kernel, made at once"
same "$(channels n1)" $ours "all are listed"

# Those of Rust nodes: every third one closes its channel halfway.
for ((i = 0; i < theirs; i++)); do
	close=
	[ $((i % 3)) != 0 ] || close="--close-after $((messages / 2))"
	# shellcheck disable=SC2086
	begin "theirs$i" peer_send --to "127.0.0.1:$port" --channel api --service echo \
		--size $((i * 1000)) --count $messages --quiet --interval 5 --timeout 30 $close
done
# Nobody tells a sender that the channel has gone while it waits for an answer.
for ((i = 0; i < ours; i++)); do
	begin "ours$i" in_node n1 traffic -t "${channel[i]},echo" -n $messages -s 10,$((i * 300)) \
		-w 2 -T $((i % 7 ? 60 : 5))
done
wait_for 30 counts n1 channels_opened $((ours + theirs))
ok $? "$theirs more from Rust nodes" "$(counter n1 channels_opened) were opened"

# Every seventh of ours is deleted, at whatever moment it is.
for ((i = 0; i < ours; i += 7)); do
	ockamctl secure-channel delete "${channel[i]}" --at n1 -y >/dev/null 2>&1 || bad="$bad $i"
done
same "$bad" "" "some are deleted meanwhile"

bad=
for ((i = 0; i < ours; i++)); do
	if ended "ours$i"; then
		[ "$said" = "done sent=$messages replies=$messages served=0" ] || bad="$bad $i: $said"
	else
		# It may have been quicker than we; else it has lost its first hop.
		[ $((i % 7)) = 0 ] && grep -q "No route to host\|Broken pipe\|nothing came" <<<"$said" ||
			bad="$bad $i: $said"
	fi
done
same "$bad" "" "the others of the kernel have all their answers"
bad=
for ((i = 0; i < theirs; i++)); do
	if ended "theirs$i"; then
		[ $((i % 3)) != 0 ] || bad="$bad $i did not notice its end"
	else
		[ $((i % 3)) = 0 ] && grep -q "could not be sent" <<<"$said" || bad="$bad $i: $said"
	fi
done
same "$bad" "" "the others of the Rust nodes too"
wait_for 10 open_channels n1 $((ours - (ours + 6) / 7))
ok $? "as many channels are left as should be" "$(ockamctl node show n1 --jq .counters)"

peer_signal r1 USR2
left=0
for ((i = 0; i < ours; i++)); do
	[ $((i % 7)) = 0 ] || [ $((i % 3)) = 0 ] || left=$((left + 1))
done
wait_for 10 open_channels n1 $left
ok $? "a Rust node closes all of its channels, the others stay"
bad=
for ((i = 0; i < ours; i++)); do
	[ $((i % 7)) != 0 ] && [ $((i % 3)) != 0 ] || continue
	said=$(in_node n1 traffic -t "${channel[i]},echo" 2>&1) || bad="$bad $i: $said"
done
same "$bad" "" "and work"
peer_kill r2
left=0
for ((i = 0; i < ours; i++)); do
	[ $((i % 7)) != 0 ] && [ $((i % 3)) = 2 ] && left=$((left + 1))
done
wait_for 10 open_channels n1 $left
ok $? "the channels of one that is killed end at once"
peer_stop r3
wait_for 10 open_channels n1 0
ok $? "those of one that stops, too"
same "$(channels n1)" 0 "none is listed"
same "$(refusals n1)" 0 "no packet was refused"
same "$(counter n1 drop_socket_full)" 0 "none was dropped"
finish
