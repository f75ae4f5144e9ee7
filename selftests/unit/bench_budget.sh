#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# No message needs more instructions than selftests/bench/budget.json says for this
# kernel and compiler, and 5 %. Boots a machine of its own, whose clock counts them.
#
# needs: modules-vm tools system-tests

exec "$OCKAM_TOP/selftests/bench/messages" "${OCKAM_BUILD:-$OCKAM_TOP/build}" check
