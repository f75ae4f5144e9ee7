#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Life cycle of nodes as people and scripts see it: background and foreground,
# every state and every command, what is printed, what survives.
#
# where: uml
# long: vm debug
# timeout: 300

. "$(dirname "$0")/ockamd.inc"

# Logs are of a day, which does not end while this runs: it is noon here.
export TZ=NOON$((10#$(date -u +%H) - 12))
unset QUIET

show()
{
	ockam node show "$1" --jq "$2" --compact-output
}

port_is_free()
{
	! (exec 3<>"/dev/tcp/127.0.0.1/$1")
}

# ---- no node ----

it 0 "[]" ockam node list
it 0 "[]" ockam node show n1
it 0 "[]" ockam node delete n1
it 0 "There are no nodes running" ockam node stop n1
it 70 "There is no node with name n1" ockam node start n1

# ---- create ----

same "$(ockam node create n1 2>"$OCKAM_HOME.err")" n1 "create prints the name"
grep -q "as your default Identity, on this machine." "$OCKAM_HOME.err"
ok $? "and remarks on the identity that it made" "$(cat "$OCKAM_HOME.err")"
same "$(show n1 '[.name, .is_default, .status, .route.short]')" \
	'["n1",true,"running","/node/n1"]' "it runs"
p1=$(node_pid n1) port1=$(node_port n1)
kill -0 "$p1"
ok $? "its pid is a process"
same "$(show n1 '[.transports[0] | .mode, .socket_addr, .type, .worker_addr]')" \
	"[\"Listen\",\"127.0.0.1:$port1\",\"Tcp\",\"<none>\"]" "it listens"
same "$(show n1 '.services | map(.addr) | sort')" '["echo","uppercase"]' "it has the services"
same "$(show n1 '.secure_channel_listeners[0].address.inner | implode')" '"api"' "and the listener"
same "$(show n1 'has("http_server_address"), .http_server_address, .inlets, .outlets')" \
	"true
null
[]
[]" "and nothing else"
[ -f "$OCKAM_HOME/application_database.sqlite3" ]
ok $? "the home knows that there have been nodes"
same "$(ls "$OCKAM_HOME/nodes/n1" | grep -c '^stdout\.[0-9-]*\.log$')" 1 "it has a log"
same "$(ockam node logs n1)" "$(echo "$OCKAM_HOME"/nodes/n1/stdout.*.log)" "that node logs names"
it 70 "Node n1 is already running" ockam node create n1
it 70 "Node n1 is already running" ockam node create n1 -f
it 0 "is already running. If you want to restart it you can call" ockam node start n1
same "$(ockam node create n2 --quiet 2>&1)" "" "create --quiet prints nothing"
it 0 "There was no Identity named three, generated it" \
	ockam node create n3 --output json --identity three
it 70 "is already running" ockam node create n3 --identity four
! ockam identity list | grep -q four
ok $? "what is refused makes no identity"
same "$(show n3 .identity_name)" '"three"' "n3 has an identity of its own"
same "$(ockam node list --jq 'map([.node_name, .is_default, .status.status])' --compact-output)" \
	'[["n1",true,"running"],["n2",false,"running"],["n3",false,"running"]]' "list, in order"
same "$(ockam node create aaa >/dev/null 2>&1; ockam node list --jq '.[3].node_name')" '"aaa"' \
	"of creation, not of names"
it 0 "The default node is 'n1'" ockam node default
it 0 "n2" ockam node default n2
it 70 "The node 'n2' is already the default" ockam node default n2
it 0 "n1" ockam node default /node/n1

# ---- lists whose form for scripts is that for people, unless they ask ----

for list in "tcp-connection" "tcp-listener" "secure-channel-listener" "worker"; do
	[[ $(ockam $list list) != "["* ]]
	ok $? "$list list is plain text in a pipe"
	same "$(ockam $list list --jq type)" '"array"' "and JSON on demand"
done
same "$(ockam tcp-connection list --output json)" "[]" "an empty one too"
same "$(ockam tcp-listener list --jq '.[0] | .mode, .socket_addr')" "\"Listen\"
\"127.0.0.1:$port1\"" "of what node show has"
same "$(ockam secure-channel-listener list --jq '.[0].address')" '"/service/api"' "listeners"
same "$(ockam secure-channel-listener show api --jq .address)" '"/service/api"' "one of them"
same "$(ockam worker list --jq 'map(.address) | contains(["echo", "api"])')" true "workers"

# ---- stop and start ----

it 0 "The node with name n2 was stopped" ockam node stop n2
it 70 "The node n2 was not found" ockam node stop n2
it 70 "The node n9 was not found" ockam node stop n9
it 70 "There is no node with name n9" ockam node show n9
same "$(show n2 '[.status, has("pid"), .transports, .services]')" '["stopped",false,[],[]]' \
	"a stopped node is shown"
port2=$(node_port n2)
wait_for 5 port_is_free "$port2"
ok $? "its port is free"
it 0 '"status": "running"' ockam node start n2
same "$(node_port n2)" "$port2" "it starts on the same port"
same "$(upper back --to /node/n2/service/uppercase 2>/dev/null)" BACK "and serves"
run_ok "stop it again" ockam node stop n2
it 0 n2 ockam node create n2
[ "$(node_port n2)" != "$port2" ]
ok $? "created again it has a new port"
it 0 "was stopped" ockam node stop
same "$(show n1 .status)" '"stopped"' "stop without a name is for the default node"
it 70 "Default node exists but is not running" ockam tcp-listener list
it 70 "Default node exists but is not running" ockam tcp-connection create --to "$port2"
it 0 n4 ockam node create n4
it 0 "The default node is 'n4'" ockam node default
run_ok "n1 starts" ockam node start n1
it 0 "The default node is 'n4'" ockam node default

# ---- killed ----

p4=$(node_pid n4) port4=$(node_port n4)
worker4=$(worker_of "$p4")
kill -9 "$p4"
wait_for 5 gone "$p4"
wait_for 5 gone "$worker4"
ok $? "a killed node takes its worker with it"
wait_for 5 port_is_free "$port4"
ok $? "and its port"
same "$(show n4 '[.status, has("pid")]')" '["stopped",false]' "it is stopped"
! ls -A /run/netns /run/ockam/* | grep -q -- 'n4$'
ok $? "pin and socket are gone" "$(ls -A /run/netns /run/ockam/*)"
it 70 "The node n4 was not found" ockam node stop n4
it 0 '"status": "running"' ockam node start n4
same "$(node_port n4)" "$port4" "it starts on its port"
kill -9 "$(node_pid n4)"
it 0 n4 ockam node create n4 -t "127.0.0.1:$port4"
same "$(node_port n4)" "$port4" "or is created on it"
kill -9 "$(node_pid n4)"
same "$(ockam node delete n4 -y)" n4 "a killed node is deleted"
[ ! -e "$OCKAM_HOME/nodes/n4" ]
ok $? "with its directory"
it 0 "The default node is 'n1'" ockam node default

# ---- delete ----

it 70 "Use --yes to confirm" ockam node delete n1
it 70 "Use --yes to confirm" ockam node delete --all
it 70 "The node n9 was not found" ockam node delete n9 -y
it 0 "Nothing was deleted: give the name of a node" ockam node delete
it 70 "Nothing was deleted: which node?" ockam node delete -y
same "$(show n1 .status)" '"running"' "nothing was deleted"
same "$(ockam node delete n1 -y --output json --compact-output)" '{"name":"n1"}' "a running node is deleted"
wait_for 5 gone "$p1"
it 70 "There is no node with name n1" ockam node show n1
run_ok "another is stopped" ockam node stop n3
same "$(ockam node delete --all -y)" "n2
n3
aaa" "delete --all, running and stopped"
it 0 "[]" ockam node list
it 0 "Identifier: I" ockam identity show three --full

# ---- foreground ----

ockam node create f1 --foreground >"$OCKAM_HOME.out" 2>"$OCKAM_HOME.err" & f1=$!
wait_for 10 grep -qx f1 "$OCKAM_HOME.out"
ok $? "a foreground node prints its name" "$(cat "$OCKAM_HOME.out" "$OCKAM_HOME.err")"
same "$(node_pid f1)" "$f1" "it is the process that was started"
[ ! -e "$OCKAM_HOME/nodes/f1" ]
ok $? "it has no directory"
same "$(upper front --to /node/f1/service/uppercase 2>/dev/null)" FRONT "it serves"
it 70 "Node f1 is already running" ockam node create f1 -f
it 70 "Node f1 is already running" ockam node create f1
it 0 "was stopped" ockam node stop f1
wait $f1
same $? 0 "a stop from elsewhere ends it"
grep -q "Exit signal received" "$OCKAM_HOME.err"
ok $? "it says why" "$(cat "$OCKAM_HOME.err")"
for signal in TERM INT HUP; do
	# A job of a script ignores SIGINT from birth; a node must heed it all the same.
	setsid bash -c 'trap - INT; exec ockam node create f1 -f' >"$OCKAM_HOME.out" 2>&1 & job=$!
	wait_for 10 grep -qx f1 "$OCKAM_HOME.out"
	kill -$signal "$(node_pid f1)"
	wait $job
	same $? 0 "SIG$signal ends it in an orderly way"
done
ockam node create f1 -f >"$OCKAM_HOME.out" 2>&1 & f1=$!
wait_for 10 grep -qx f1 "$OCKAM_HOME.out"
portf=$(node_port f1)
kill -9 $f1
wait $f1 2>/dev/null
wait_for 5 port_is_free "$portf"
ok $? "killed, its port is free"
same "$(show f1 .status)" '"stopped"' "and it is stopped"
mkfifo "$OCKAM_HOME.in"
ockam node create f1 -f --exit-on-eof <"$OCKAM_HOME.in" >"$OCKAM_HOME.out" 2>&1 & f1=$!
exec 9>"$OCKAM_HOME.in"
wait_for 10 grep -qx f1 "$OCKAM_HOME.out"
ok $? "with --exit-on-eof it runs as long as its input" "$(cat "$OCKAM_HOME.out")"
exec 9>&-
wait $f1
same $? 0 "and ends with it"
grep -q "EOF received" "$OCKAM_HOME.out"
ok $? "it says why" "$(cat "$OCKAM_HOME.out")"
ockam node create f2 -f --in-memory >"$OCKAM_HOME.out" 2>&1 & f2=$!
wait_for 10 grep -qx f2 "$OCKAM_HOME.out"
ok $? "a node in memory" "$(cat "$OCKAM_HOME.out")"
it 70 "There is no node with name f2" ockam node show f2
kill $f2
wait $f2
same $? 0 "ends"
ockam node create f1 -f -vvv >"$OCKAM_HOME.out" 2>&1 & f1=$!
wait_for 10 grep -q "handshake worker is process" "$OCKAM_HOME.out"
ok $? "-vvv logs to standard output" "$(cat "$OCKAM_HOME.out")"
same "$(ockam node delete f1 -y)" f1 "deleting a foreground node"
wait $f1
same $? 0 "ends it"

# ---- nothing of the caller's is kept ----

run_ok "command substitution does not hang" timeout 30 bash -c 'x=$(ockam node create n1 2>&1); [ -n "$x" ]'
run_ok "nor does a pipeline" timeout 30 bash -c 'set -o pipefail; ockam node create n2 2>&1 | cat >/dev/null'
run_ok "nor descriptors of the caller" timeout 30 bash -c '
	exec 8> >(cat >/dev/null); pid=$!
	ockam node create n3 8>&8 >/dev/null 2>&1
	exec 8>&-
	while kill -0 $pid 2>/dev/null; do sleep 0.05; done'
run_ok "nor does start" timeout 30 bash -c 'ockam node stop n1 >/dev/null; x=$(ockam node start n1 2>&1)'

# ---- a log does not grow for ever ----

ockam node stop n1 >/dev/null
log=$(ockam node logs n1)
truncate -s 1M "$log"
OCKAM_LOG_MAX_SIZE_MB=1 ockam node start n1 >/dev/null
same "$(stat -c %s "$log.1")" 1048576 "a log that is full is put aside"
grep -q "node n1: up" "$log"
ok $? "and the node goes on in a new one" "$(ls -l "$OCKAM_HOME/nodes/n1")"
same "$(ockam node logs n1)" "$log" "which node logs names"
same "$(stat -c %a "$log")" 600 "for its user alone"

for node in n1 n2 n3; do
	pid=$(node_pid $node)
	same "$(readlink /proc/$pid/fd/0)" /dev/null "$node reads /dev/null"
	grep -q "/nodes/$node/stdout" <<<"$(readlink /proc/$pid/fd/1)$(readlink /proc/$pid/fd/2)"
	ok $? "and writes to its log"
	same "$(ps -o sid= -p $pid | tr -d ' ')" $pid "in a session of its own"
	! ls -l /proc/$pid/fd | grep -q 'pipe:'
	ok $? "without a pipe" "$(ls -l /proc/$pid/fd)"
done
run_ok "a caller without standard streams" bash -c 'ockam node create n4 <&- >&- 2>&-'
same "$(show n4 .status)" '"running"' "gets a node"
same "$(head -c 15 "$OCKAM_HOME/database.sqlite3")" "SQLite format 3" "and its database is one still"

# ---- at the same time ----

ockam node delete --all -y >/dev/null
pids=()
for i in 1 2 3 4; do
	ockam node create twin >"$OCKAM_HOME.twin$i" 2>&1 & pids+=($!)
done
won=0
for i in 0 1 2 3; do
	wait "${pids[$i]}" && won=$((won + 1))
done
same $won 1 "of four creations of one name one wins"
same "$(cat "$OCKAM_HOME".twin* | grep -c 'Node twin is already running')" 3 "the others say why" \
	"$(cat "$OCKAM_HOME".twin*)"
same "$(show twin .status)" '"running"' "it runs"
pids=()
for i in 1 2 3 4; do
	ockam node create "p$i" >/dev/null 2>&1 & pids+=($!)
done
won=0
for i in 0 1 2 3; do
	wait "${pids[$i]}" && won=$((won + 1))
done
same $won 4 "four creations of different names all win"
same "$(ockam node list --jq 'map(select(.is_default)) | length')" 1 "one node is the default"

# ---- two homes ----

export OCKAM_HOME_1=$OCKAM_HOME
export OCKAM_HOME=$OCKAM_HOME_1/other
it 0 "[]" ockam node list
run_ok "another home, the same name" ockam node create twin
same "$(ockam node list --jq length)" 1 "has its own nodes"
same "$(upper two --to /node/twin/service/uppercase 2>/dev/null)" TWO "that work"
run_ok "reset" ockam reset -y
same "$(ls -A "$OCKAM_HOME")" application_database.sqlite3 "leaves one file"
export OCKAM_HOME=$OCKAM_HOME_1
same "$(show twin .status)" '"running"' "the first home is untouched"

# ---- commands that make a node ----

run_ok "reset of all" ockam reset -y
same "$(ockam tcp-listener create 0 2>/dev/null | grep -c '^/dnsaddr/localhost/tcp/[0-9]*$')" 1 \
	"tcp-listener create makes a node"
same "$(ockam node list --jq 'map(.is_default)' --compact-output)" "[true]" "which is the default"
grep -qE '^"[a-z]+-[a-z]+"$' <<<"$(ockam node list --jq '.[0].node_name')"
ok $? "with a random name"
same "$(ockam secure-channel-listener create mine 2>/dev/null)" /service/mine "and later ones use it"
same "$(ockam node list --jq length)" 1 "there is still one"

# ---- temporary nodes ----

# Without the process that answers for the service uppercase for a while.
processes()
{
	pgrep -x 'ockamd|ockamd-worker|ockamd-keeper' | sort
}

# processes_are COUNT
processes_are()
{
	[ "$(processes | wc -l)" = "$1" ]
}

run_ok "a node" ockam node create n1
before=$(processes)
same "$(upper one --to /node/n1/service/uppercase 2>/dev/null)" ONE "message send without --from"
same "$(upper two --to /node/n1/secure/api/service/uppercase 2>/dev/null)" TWO "and over a channel"
same "$(processes)" "$before" "leaves no process"
ockam message send three --to /node/n1/service/nothing --timeout 60s >/dev/null 2>&1 & job=$!
wait_for 10 processes_are $(($(wc -l <<<"$before") + 3))
ok $? "one that waits has a node"
kill -9 $job
wait $job 2>/dev/null
wait_for 10 processes_are "$(wc -l <<<"$before")"
ok $? "which ends with it, however that ends"
same "$(ls "$OCKAM_HOME/nodes" | wc -l)" 2 "no directory of theirs is left"
same "$(ls -A /run/ockam/*/ | grep -c temporary)" 0 "and no socket"

# ---- trying again ----

said=$(ockam message send x --from n1 --to /ip4/127.0.0.1/tcp/1/service/echo --retry-count 2 \
	--retry-delay 100ms 2>&1)
[ $? = 70 ] && [ "$(grep -c 'Will retry in 0.1 seconds' <<<"$said")" = 2 ] &&
	[ "$(grep -c 'Command failed with error:' <<<"$said")" = 2 ]
ok $? "--retry-count tries again" "$said"
said=$(OCKAM_COMMAND_RETRY_COUNT=2 ockam message send x --from n1 \
	--to /ip4/127.0.0.1/tcp/1/service/echo --no-retry 2>&1)
[ $? = 70 ] && ! grep -q 'Will retry' <<<"$said"
ok $? "--no-retry does not" "$said"
same "$(ockam message send --from n1 --to /service/uppercase --hex 68c3a9)" "HÉ" "--hex"
same "$(ockam message send --from n1 --to /service/uppercase --hex 610062)" "410042" \
	"a zero byte is a character to uppercase"
same "$(QUIET=true ockam message send 'a  b!' --from n1 --to /service/echo 2>&1)" 'a  b!' \
	"under QUIET both streams together are the reply"
same "$(ockam message send '' --from n1 --to /service/echo 2>/dev/null)" '' "an empty message"

# ---- away ----

run_ok "reset" ockam reset -y
same "$(ls -A "$OCKAM_HOME" | grep -v other)" application_database.sqlite3 "one file is left"
it 0 "There are no nodes running" ockam node stop
it 0 "[]" ockam node show
wait_for 5 module_unused
ok $? "the module is unused" "$(cat /sys/module/ockam/refcnt)"
rm -f "$OCKAM_HOME".*
finish
