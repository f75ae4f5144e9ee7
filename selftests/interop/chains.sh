#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Kernel nodes and Rust nodes in one route, in every mix; channels inside of
# channels; a Rust relay on the way.
#
# where: uml
# timeout: 240

. "$(dirname "$0")/nodes.inc"

# reaches WHO ROUTE...: plain text, and a channel to the one who answers
reaches()
{
	local who=$1 route=$2 from=$3 channel said

	same "$(upper plain --from "$from" --to "$route/service/uppercase" 2>&1)" PLAIN \
		"$4: a message in plain text"
	channel=$(ockamctl secure-channel create --from "$from" --to "$route/service/api" \
		--authorized "$who" 2>&1)
	ok $? "$4: a channel with the one at the end" "$channel"
	same "$(upper sealed --from "$from" --to "$channel/service/uppercase" 2>&1)" SEALED \
		"$4: it works"
	said=$(in_node "$from" traffic -t "${channel#/service/},echo" -n 70 -s 10,70000 -w 4 2>&1)
	same "$said" "done sent=70 replies=70 served=0" "$4: for 70 messages"
	run_ok "$4: it ends" ockamctl secure-channel delete "$channel" --at "$from" -y
}

run_ok "a kernel node starts" ockamctl node create n1
run_ok "and another one" ockamctl node create n2
n1=$(kernel_id n1) n2=$(kernel_id n2)
port1=127.0.0.1:$(node_port n1) port2=127.0.0.1:$(node_port n2)
run_ok "a Rust node starts" peer_start r listen --messages
run_ok "and a hop to it" peer_start hop_r relay-hop --forward "next=127.0.0.1:$(peer_port r)"
run_ok "a Rust hop to a kernel node" peer_start hop_n relay-hop --forward "next=$port2"
run_ok "and one to that hop" peer_start hop_hop relay-hop \
	--forward "next=127.0.0.1:$(peer_port hop_n)"
r=$(peer_identifier r)

# ---- the kernel initiates ----

reaches "$n2" "$(rust_route hop_n)/service/hop/service/next" n1 "kernel, Rust, kernel"
reaches "$n2" "$(rust_route hop_hop)/service/next/service/hop/service/next" n1 \
	"kernel, two Rust, kernel"
reaches "$r" "/node/n2$(rust_route r)" n1 "kernel, kernel, Rust"
reaches "$r" "/node/n2$(rust_route hop_r)/service/next" n1 "kernel, kernel, Rust, Rust"

# ---- the Rust node initiates ----

said=$(peer_send --to "127.0.0.1:$(peer_port hop_n)" --via next --service uppercase hello 2>&1)
has "Rust, Rust, kernel: a message in plain text" "reply HELLO"
said=$(peer_send --to "127.0.0.1:$(peer_port hop_n)" --via hop --via next --channel api \
	--trust "$n2" --service echo --size 70000 --count 70 --window 4 --quiet 2>&1)
ok $? "Rust, Rust, kernel: a channel with the one at the end" "$said"
said=$(peer_send --to "127.0.0.1:$(peer_port hop_hop)" --via next --via next --channel api \
	--trust "$n2" --service echo --size 100 --count 70 --quiet 2>&1)
ok $? "Rust, two Rust, kernel: a channel with the one at the end" "$said"

# ---- a kernel node in the middle ----

# field NODE ADDRESS NAME: of a connection
field()
{
	ockamctl tcp-connection show "$2" --at "$1" | sed -n "s/^ *$3: \(0#\)\{0,1\}//p"
}

run_ok "a Rust hop to the other kernel node" peer_start hop_k relay-hop --forward "next=$port1"
inbound=$(ockamctl tcp-connection list --at n1 | sed -n 's/.*TCP, Incoming at //p')
outbound=$(ockamctl tcp-connection create --from n1 --to "127.0.0.1:$(peer_port r)")
ok $? "which has a connection to a Rust node" "$outbound"
outbound=${outbound#/worker/}
middle()
{
	peer_send --to "127.0.0.1:$(peer_port hop_k)" --via next --via "$outbound" --trust "$r" \
		"$@" 2>&1
}

denied=$(counter n1 drop_denied)
said=$(middle --service uppercase hello --timeout 1)
same $? 1 "it is no hop for those who come over its TCP listener"
same "$(counter n1 drop_denied)" $((denied + 1)) "a message is refused and counted"
run_ok "its operator opens the connection to the one" ockamctl flow-control add-consumer \
	"$(field n1 "$inbound" "Flow Control Id")" "/worker/$outbound" --at n1
run_ok "and the one to answers" ockamctl flow-control add-consumer \
	"$(field n1 "$outbound" "Flow Control Id")" "/worker/$(field n1 "$inbound" "Worker address")" \
	--at n1
said=$(middle --service uppercase hello)
has "Rust, Rust, kernel, Rust: a message in plain text" "reply HELLO"
said=$(middle --channel api --service echo --size 70000 --count 70 --window 4 --quiet)
ok $? "Rust, Rust, kernel, Rust: a channel with the one at the end" "$said"
said=$(middle --channel api --channel api --service echo --size 100 --count 40 --quiet)
ok $? "and one in it" "$said"
said=$(ockamctl flow-control add-consumer 00 "/worker/$outbound" --at n1 2>&1)
same $? 70 "a flow is 16 bytes"
has "and this is said" "32 hexadecimal digits"
said=$(ockamctl flow-control add-consumer "$(printf '%032d' 0)" /service/nobody --at n1 2>&1)
same $? 70 "an address that is no connection is refused"
has "by name" "0#nobody is no TCP connection"

# ---- channels inside of channels ----

outer=$(ockamctl secure-channel create --from n1 --to "$(rust_route hop_n)/service/api")
ok $? "a channel from the kernel to a Rust node" "$outer"
inner=$(ockamctl secure-channel create --from n1 --to "$outer/service/next/service/api" \
	--authorized "$n2")
ok $? "in it one that goes on to a kernel node" "$inner"
same "$(upper deep --from n1 --to "$inner/service/uppercase")" DEEP "works"
deepest=$(ockamctl secure-channel create --from n1 --to "$inner/service/api" --authorized "$n2")
ok $? "and in that one another" "$deepest"
said=$(in_node n1 traffic -t "${deepest#/service/},echo" -n 40 -s 1,100000 -w 4 2>&1)
same "$said" "done sent=40 replies=40 served=0" "works for 40 messages"
peer_signal hop_n USR2
peer_wait hop_n "^channel-closed "
wait_for 5 counts n1 channels_closed $(($(counter n1 channels_opened) - 2))
same "$(channels n1)" 2 "the Rust node closes the outermost, those in it have lost their way"
said=$(upper deep --from n1 --to "$inner/service/uppercase" 2>&1)
same $? 70 "nothing gets through"

said=$(peer_send --to "127.0.0.1:$(peer_port hop_n)" --channel api --via-inner next \
	--channel api --service echo --size 70000 --count 40 --quiet 2>&1)
ok $? "from a Rust node in a channel with a Rust node to a kernel node" "$said"
said=$(peer_send --to "127.0.0.1:$(peer_port hop_n)" --via next --channel api --channel api \
	--channel api --service echo --size 100 --count 40 --quiet 2>&1)
ok $? "three with the same kernel node in each other" "$said"

# ---- a relay ----

run_ok "a Rust relay starts" peer_start relay listen --relay-service
run_ok "a Rust node that it relays for" peer_start behind listen --messages \
	--register-relay "x@127.0.0.1:$(peer_port relay)"
peer_wait behind '^relay-made '
reaches "$(peer_identifier behind)" "$(rust_route relay)/service/forward_to_x" n1 "over a relay"
peer_wait behind "^message uppercase $n1 "
ok $? "the relayed one knows who speaks"
reaches "$(peer_identifier behind)" "/node/n2$(rust_route relay)/service/forward_to_x" n1 \
	"over a kernel node and a relay"

wait_for 60 counts n1 channels_closed "$(counter n1 channels_opened)"
same "$(channels n1)" 0 "the channels without a way have ended"
for n in n1 n2; do
	same "$(refusals $n)" 0 "$n has refused no packet"
	same "$(counter $n drop_socket_full)" 0 "and lost no message"
done
run_ok "all Rust nodes stop" peer_stop_all
finish
