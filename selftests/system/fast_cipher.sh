#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# Channels use the driver of the processor's AES instructions: of those that
# offer gcm(aes) it has the highest priority, and it is the one whose transforms
# an open channel holds.
#
# where: vm debug

. "$(dirname "$0")/ockamd.inc"

# Drivers of gcm(aes): priority, references, name, asynchronous or not.
drivers()
{
	awk '$1 == "driver" { driver = $3 }
		$1 == "name" { name = $3 }
		$1 == "priority" { priority = $3 }
		$1 == "refcnt" { refs = $3 }
		$1 == "async" && name == "gcm(aes)" {
			print priority, refs, driver, $3
		}' /proc/crypto | sort -rn
}

references()
{
	drivers | awk -v driver="$1" '$3 == driver { print $2 }'
}

grep -qw aes /proc/cpuinfo
ok $? "the processor has instructions for AES"
read -r _ _ driver asynchronous < <(drivers)
[[ $driver =~ ^generic-gcm-v?aes(ni|-avx) ]]
ok $? "the driver $driver makes use of them" "$(drivers)"
case $(uname -r) in
6.1.*)	same "$asynchronous" yes "it is an asynchronous one" ;;
esac

run_ok "n1 starts" ockamctl node create n1
run_ok "n2 starts" ockamctl node create n2
before=$(references "$driver")
channel=$(ockamctl secure-channel create --from n1 --to /node/n2/service/api)
ok $? "a channel"
same "$(upper "hello ockam!" --from n1 --to "$channel/service/uppercase")" "HELLO OCKAM!" \
	"carries a message and its answer"
held=$(references "$driver")
[ "$held" -gt "$before" ]
ok $? "with this driver" "references: $before before, $held after"
finish
