// SPDX-License-Identifier: Apache-2.0
/*
 * Netlink messages as the client reads them: a datagram taken apart, during a
 * call and outside of one, and each kind of answer read from any attributes.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "../../tools/lib/nl.c"
#include "../../tools/lib/nl_channel.c"
#include "../../tools/lib/nl_link.c"
#include "../../tools/lib/nl_node.c"
#include "../../tools/lib/nl_worker.c"

#include "fuzz.h"

#define FAMILY	0x1c	/* what the seeds have */

static void check_name(const struct ockam_nl_name *name)
{
	fuzz_must(name->len <= OCKAM_ADDR_MAX_LEN);
}

/* All bytes of a blob can be read. */
static void check_blob(const struct ockam_nl_blob *blob)
{
	free(fuzz_exact(blob->data, blob->len));
	fuzz_must(blob->data || !blob->len);
}

static void check_text(const char *text)
{
	fuzz_must(text && strlen(text) < 65536);
}

static int see_channel(void *arg, const struct ockam_nl_channel *ch)
{
	(void)arg;
	check_blob(&ch->route);
	check_blob(&ch->attributes);
	check_blob(&ch->reach_ids);
	check_name(&ch->encryptor);
	check_name(&ch->listener);
	return 0;
}

static int see_link(void *arg, const struct ockam_nl_link *link)
{
	(void)arg;
	check_blob(&link->reach_ids);
	check_name(&link->address);
	check_name(&link->pair);
	fuzz_must(memchr(link->label, 0, sizeof(link->label)));
	return 0;
}

static int see_listener(void *arg, const struct ockam_nl_listener *listener)
{
	(void)arg;
	check_blob(&listener->reach_ids);
	check_name(&listener->address);
	return 0;
}

static int see_address(void *arg, const struct ockam_nl_address *address)
{
	(void)arg;
	check_blob(&address->reach_ids);
	check_name(&address->name);
	return 0;
}

/* ---- what the kernel says on its own ---------------------------------------- */

static unsigned int calls;

static void see_ready(void *arg, uint64_t id)
{
	(void)arg;
	(void)id;
	calls++;
}

static void see_control(void *arg, const struct ockam_nl_control *control)
{
	(void)arg;
	check_name(&control->encryptor);
	check_blob(&control->body);
	calls++;
}

static void see_result(void *arg, const struct ockam_nl_result *result)
{
	(void)arg;
	check_name(&result->encryptor);
	check_name(&result->decryptor);
	check_text(result->reason);
	calls++;
}

static void see_event(void *arg, const struct ockam_nl_event *event)
{
	(void)arg;
	check_name(&event->address);
	check_text(event->reason);
	calls++;
}

/* ---- one datagram ------------------------------------------------------------- */

/* Each reader of answers, whatever the command was. */
static int see_all(void *arg, struct nlattr **tb, struct ockam_err *err)
{
	struct ockam_nl_channel_reader channel = { see_channel, NULL };
	struct ockam_nl_link_reader link = { see_link, NULL };
	struct ockam_nl_listener_reader listener = { see_listener, NULL };
	struct ockam_nl_address_reader address = { see_address, NULL };
	struct ockam_nl_fetched fetched = { 0 };
	struct ockam_nl_node node = { 0 };
	struct ockam_nl_made made;

	(void)arg;
	fuzz_must(!ockam_nl_read_channel(&channel, tb, err));
	fuzz_must(!ockam_nl_read_link(&link, tb, err));
	fuzz_must(!ockam_nl_read_listener(&listener, tb, err));
	fuzz_must(!ockam_nl_read_address(&address, tb, err));
	fuzz_must(!ockam_nl_read_made(&made, tb, err));
	check_name(&made.address);
	fuzz_must(!ockam_nl_read_node(&node, tb, err));
	for (size_t i = 0; i < node.n_counters; i++)
		fuzz_must(memchr(node.counters[i].name, 0, sizeof(node.counters[i].name)));
	ockam_nl_node_free(&node);
	fuzz_must(!ockam_nl_read_fetched(&fetched, tb, err));
	check_blob((const struct ockam_nl_blob *)&fetched.message);
	check_blob((const struct ockam_nl_blob *)&fetched.opaque);
	ockam_nl_fetched_free(&fetched);
	return 0;
}

static void hand_out_all(struct ockam_nl *nl)
{
	struct ockam_nl_kept *kept;

	while ((kept = nl->kept)) {
		unsigned int before = calls;

		nl->kept = kept->next;
		if (!nl->kept)
			nl->kept_end = &nl->kept;
		fuzz_must(ockam_nl_hand_out(nl, kept->hdr) == (calls != before));
		ockam_nl_free_kept(kept);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ockam_nl nl = {
		.family = FAMILY, .dispatching = true,
		.handlers = { .ready = see_ready, .control = see_control, .result = see_result,
			      .event = see_event },
	};
	struct ockam_nl_waiting w = { .seq = 1, .fn = see_all };
	struct ockam_err err = { 0 };
	uint8_t *copy;

	if (size < 2 || size > OCKAM_NL_RX_SIZE)
		return 0;
	nl.kept_end = &nl.kept;
	w.cmd = data[1];
	w.err = &err;
	/* Aligned, as the client's buffer is. */
	copy = fuzz_exact(data + 2, size - 2);
	ockam_nl_take_all(&nl, copy, size - 2, data[0] & 1 ? &w : NULL);
	free(copy);
	fuzz_must(w.status <= 0 && (!w.status || err.text[0]));
	hand_out_all(&nl);
	return 0;
}
