// SPDX-License-Identifier: Apache-2.0
/*
 * Life of a node process.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "crypto.h"
#include "family.h"
#include "hex.h"
#include "keeper.h"
#include "log.h"
#include "netns.h"
#include "node.h"
#include "privilege.h"
#include "sweep.h"

#define OCKAMD_NODE_REPORT_MS	5000
#define OCKAMD_NODE_ENDING_MS	10000	/* how long the end of the node before may take */
#define OCKAMD_NODE_PAUSE_MS	20
#define OCKAMD_NODE_ENDING_MS	10000	/* how long the end of the node before may take */
#define OCKAMD_NODE_PAUSE_MS	20
#define OCKAMD_NODE_END_MS	2000	/* how long the end waits for the database */

void ockamd_node_stop(struct ockamd_node *node, const char *why)
{
	ockamd_info("node %s: %s", node->options->name, why);
	node->loop.stop = true;
}

/* ---- events ------------------------------------------------------------------- */

static void ockamd_node_signal(struct ockamd_watch *watch, uint32_t events)
{
	struct ockamd_node *node = (struct ockamd_node *)
		((char *)watch - offsetof(struct ockamd_node, signal_watch));
	struct signalfd_siginfo info;

	(void)events;
	if (read(watch->fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (node->options->foreground)
		dprintf(STDERR_FILENO, "Exit signal received\n");
	ockamd_node_stop(node, "exit signal received");
}

/* Its answers are read where they are asked for: what is left is its end. */
static void ockamd_node_keeper(struct ockamd_watch *watch, uint32_t events)
{
	struct ockamd_node *node = (struct ockamd_node *)
		((char *)watch - offsetof(struct ockamd_node, keeper_watch));

	if (!(events & (EPOLLHUP | EPOLLERR)))
		return;
	ockamd_loop_remove(&node->loop, watch);
	ockamd_error("the keeper of this node has ended: without it nothing can be dialled or started");
	ockamd_node_stop(node, "lost its keeper");
}

static void ockamd_node_input(struct ockamd_watch *watch, uint32_t events)
{
	struct ockamd_node *node = (struct ockamd_node *)
		((char *)watch - offsetof(struct ockamd_node, input_watch));
	char sink[4096];
	ssize_t n;

	(void)events;
	n = read(watch->fd, sink, sizeof(sink));
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	dprintf(STDERR_FILENO, "EOF received\n");
	ockamd_node_stop(node, "end of input");
	ockamd_loop_remove(&node->loop, watch);
}

static void ockamd_node_nl(struct ockamd_watch *watch, uint32_t events)
{
	struct ockamd_node *node = (struct ockamd_node *)
		((char *)watch - offsetof(struct ockamd_node, nl_watch));
	struct ockam_err err;

	(void)events;
	if (ockam_nl_dispatch(node->nl, &err) >= 0)
		return;
	ockamd_error("the connection to the kernel is of no more use: %s", err.text);
	ockamd_node_stop(node, "lost the kernel");
}

static void ockamd_node_result(void *arg, const struct ockam_nl_result *result)
{
	ockamd_channel_result(arg, result);
}

static void ockamd_node_event(void *arg, const struct ockam_nl_event *event)
{
	struct ockamd_node *node = arg;
	char name[OCKAMD_NAME_TEXT];

	ockamd_link_name_text(&event->address, name);
	switch (event->event) {
	case OCKAM_EVENT_LINK_DEL:
		ockamd_channel_path_gone(node, name);
		ockamd_link_gone(node, event);
		break;
	case OCKAM_EVENT_CHANNEL_NEW:
		ockamd_debug("channel %s: established", name);
		break;
	case OCKAM_EVENT_CHANNEL_DEL:
		ockamd_debug("channel %s: ended%s%s", name, event->reason[0] ? ": " : "",
			     event->reason);
		ockamd_channel_path_gone(node, name);
		ockamd_channel_gone(node, &event->address, event->reason);
		break;
	case OCKAM_EVENT_HANDSHAKE_FAIL:
		ockamd_warn("handshake as %s failed: %s",
			    event->role == OCKAM_ROLE_INITIATOR ? "initiator" : "responder",
			    event->reason[0] ? event->reason : strerror(-event->error));
		break;
	case OCKAM_EVENT_NODE_DEL:
		ockamd_node_stop(node, "the kernel has ended the node");
		break;
	}
}

static void ockamd_node_missed(void *arg)
{
	ockamd_warn("reports of the kernel were lost, looking at its state again");
	ockamd_link_resync(arg);
	ockamd_channel_resync(arg);
}

/* ---- start, step by step ---------------------------------------------------------- */

static int ockamd_node_watch_signals(struct ockamd_node *node, struct ockam_err *err)
{
	sigset_t set;
	int ret;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	node->signal_watch.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (node->signal_watch.fd < 0)
		return ockam_err_set(err, -errno, "Cannot wait for signals: %s", strerror(errno));
	node->signal_watch.fn = ockamd_node_signal;
	ret = ockamd_loop_add(&node->loop, &node->signal_watch, EPOLLIN);
	return ret ? ockam_err_set(err, ret, "Cannot wait for signals: %s", strerror(-ret)) : 0;
}

/* From here on to its end this process is the node of that name. */
static int ockamd_node_take_name(struct ockamd_node *node, struct ockam_err *err)
{
	int fd;

	ockam_sweep_node(&node->home, node->options->name);
	fd = ockam_life_take(&node->home, node->options->name, node->control, err);
	if (fd < 0)
		return fd;
	node->life = fd;
	return 0;
}

/* The record is ours, with the trust options of this process. */
static int ockamd_node_claim_name(struct ockamd_node *node, struct ockam_err *err)
{
	struct ockam_node_trust trust = { .strict_identities = node->rules.strict };
	int ret;

	if (node->rules.has_authority)
		trust.authority = node->rules.authorities[0];
	strcpy(trust.scope, node->rules.scope);
	ret = ockam_store_node_claim_trust(node->store, &node->record, &trust, &node->before,
					   &node->trust_before, err);
	node->claimed = !ret;
	return ret;
}

/* Nothing shall be left of a start that failed. */
static void ockamd_node_unclaim(struct ockamd_node *node)
{
	const char *name = node->options->name;

	/* A record that was not there before goes as a whole. */
	if (node->before.name[0])
		ockam_store_node_set_trust(node->store, name, &node->trust_before, NULL);
	ockam_store_node_unclaim(node->store, name, &node->before, NULL);
}

static int ockamd_node_find_home(struct ockamd_node *node, struct ockam_err *err)
{
	const char *home = node->options->home;

	return home ? ockam_home_set(&node->home, home, err) : ockam_home_find(&node->home, err);
}

/* Open the home, take the name, find or make the identity. */
static int ockamd_node_claim(struct ockamd_node *node, struct ockam_err *err)
{
	const struct ockamd_options *o = node->options;
	struct ockam_identity_record identity;
	int ret;

	/* All paths are absolute now; nothing keeps the caller's directory in use. */
	if (chdir("/"))
		return ockam_err_set(err, -errno, "Cannot change to the directory /: %s",
				     strerror(errno));
	ret = ockam_store_open(&node->home, OCKAM_STORE_CREATE, &node->store, err);
	if (ret)
		return ret;
	if (o->identity) {
		ret = ockam_store_identity_create(node->store, o->identity, NULL, NULL,
						  OCKAM_KEY_ED25519, NULL, &identity, err);
		if (ret == -EEXIST)
			ret = 0;
	} else {
		ret = ockam_store_identity_default(node->store, NULL, &identity, err);
	}
	if (ret)
		return ret;
	if ((uint64_t)time(NULL) < OCKAM_CLOCK_FLOOR)
		ockamd_warn("the clock of this machine is wrong: peers refuse what is signed by it. Set it, then run 'ockam identity rotate' for identities made meanwhile");
	strcpy(node->identity, identity.name);
	memcpy(node->identifier, identity.identity->identifier, sizeof(node->identifier));
	ockam_identity_record_free(&identity);

	if (o->control && strlen(o->control) >= sizeof(node->control))
		return ockam_err_set(err, -ENAMETOOLONG,
				     "The path %s of the control socket is too long", o->control);
	if (o->control)
		strcpy(node->control, o->control);
	else
		ret = ockam_home_control_path(&node->home, o->name, node->control, err);
	if (!ret)
		ret = ockamd_rule_start(node, err);
	if (!ret)
		ret = ockamd_node_take_name(node, err);
	if (ret || o->in_memory)
		return ret;

	strcpy(node->record.name, o->name);
	strcpy(node->record.identity, node->identity);
	strcpy(node->record.control, node->control);
	memcpy(node->record.identifier, node->identifier, sizeof(node->identifier));
	node->record.in_background = !o->foreground;
	return ockamd_node_claim_name(node, err);
}

/* In the caller's namespace: what it listens at. */
static int ockamd_node_start_outside(struct ockamd_node *node, struct ockam_err *err)
{
	const char *listen = node->options->listen;
	struct ockamd_listener *listener;
	int ret;

	ret = ockamd_dial_start(&node->loop, node->keeper, &node->dial, err);
	if (!ret)
		ret = ockamd_learn_start(node, err);
	if (!ret)
		ret = ockam_crypto_random(node->transport_flow, sizeof(node->transport_flow), err);
	if (ret || node->options->no_listener)
		return ret;
	ret = ockamd_listener_open(node, listen ? listen : "127.0.0.1:0", &listener, err);
	if (!ret)
		snprintf(node->record.tcp_listener, sizeof(node->record.tcp_listener), "%s",
			 listener->address);
	return ret;
}

/* It has an owner. Which one is worked out for the sentence alone. */
static int ockamd_node_refuse_owned(struct ockamd_node *node, struct ockam_err *err)
{
	char text[OCKAM_NETNS_REF], who[OCKAM_NETNS_REF];

	ockam_netns_ref_text(node->record.netns, text);
	ockam_netns_ref_who(&node->home, node->options->name, node->netns, who);
	return ockam_err_set(err, -EBUSY,
			     "The network namespace of %s is a node already%s%s: it can be one only",
			     text, who[0] ? ", " : "", who);
}

/*
 * A namespace that was a node is one again as soon as the kernel has ended what
 * that one had, which takes moments.
 */
static int ockamd_node_own(struct ockamd_node *node, struct ockam_err *err)
{
	struct ockam_nl_node state;
	bool owned;
	int ret, ms;

	for (ms = 0;; ms += OCKAMD_NODE_PAUSE_MS) {
		ret = ockam_nl_node_own(node->nl, err);
		node->owns = !ret;
		if (ret != -EBUSY || node->netns < 0 || ms >= OCKAMD_NODE_ENDING_MS)
			return ret;
		ret = ockam_nl_node_get(node->nl, &state, err);
		if (ret)
			return ret;
		owned = state.owner_port;
		ockam_nl_node_free(&state);
		if (owned)
			return ockamd_node_refuse_owned(node, err);
		poll(NULL, 0, OCKAMD_NODE_PAUSE_MS);
	}
}

/* In the node's own namespace. */
static int ockamd_node_start_inside(struct ockamd_node *node, struct ockam_err *err)
{
	const struct ockam_nl_handlers handlers = {
		.arg = node,
		.result = ockamd_node_result,
		.event = ockamd_node_event,
		.missed = ockamd_node_missed,
	};
	uint32_t index;
	int ret;

	ret = node->netns < 0 ? ockamd_netns_enter_new(err) :
				ockamd_netns_enter(node->netns, err);
	if (!ret)
		ret = ockam_nl_open(&node->nl, &handlers, err);
	if (!ret)
		ret = ockamd_node_own(node, err);
	if (!ret)
		ret = ockam_nl_join_events(node->nl, err);
	if (ret)
		return ret;
	node->nl_watch.fn = ockamd_node_nl;
	node->nl_watch.fd = ockam_nl_fd(node->nl);
	ret = ockamd_loop_add(&node->loop, &node->nl_watch, EPOLLIN);
	if (ret)
		return ockam_err_set(err, ret, "Cannot wait for the kernel: %s", strerror(-ret));
	ret = ockamd_keyring_start(node, err);
	if (!ret)
		ret = ockamd_keyring_use(node, NULL, &index, err);
	if (!ret)
		ret = ockamd_spawn_start(node, err);
	/* A node that only sends for a moment offers nothing to others. */
	if (!ret && !node->options->no_listener)
		ret = ockamd_gate_open_api(node, err);
	if (!ret)
		ret = ockamd_service_start_all(node, err);
	return ret;
}

static int ockamd_node_publish(struct ockamd_node *node, struct ockam_err *err)
{
	char name[NAME_MAX + 1];
	struct stat st;
	int ret = 0;

	if (node->claimed)
		ret = ockam_home_netns_name(&node->home, node->options->name, name, err);
	if (!ret && node->claimed)
		ret = ockamd_netns_pin(node->life, name, &node->pin, err);
	/* Everything works without the name. */
	if (ret == -EOPNOTSUPP) {
		ockamd_warn("node %s: %s", node->options->name, err->text);
		strcpy(node->unpinned, err->text);
		ret = 0;
	}
	if (ret)
		return ret;
	ret = ockamd_ctl_start(node, node->control, err);
	if (!ret && !lstat(node->control, &st))
		node->control_file = st.st_ino;
	if (!ret && node->claimed)
		ret = ockam_store_node_update(node->store, &node->record, err);
	return ret;
}

/* Before there are keys, threads, or a namespace of our own. */
static int ockamd_node_start_keeper(struct ockamd_node *node, struct ockam_err *err)
{
	int ret;

	node->keeper = ockamd_keeper_start(&node->home, err);
	if (node->keeper < 0)
		return node->keeper;
	node->keeper_watch.fd = node->keeper;
	node->keeper_watch.fn = ockamd_node_keeper;
	ret = ockamd_loop_add(&node->loop, &node->keeper_watch, 0);
	return ret ? ockam_err_set(err, ret, "Cannot wait for the keeper: %s", strerror(-ret)) : 0;
}

/* While the caller's directory is ours and names mean what they mean to the caller. */
static int ockamd_node_find_netns(struct ockamd_node *node, struct ockam_err *err)
{
	if (!node->options->netns)
		return 0;
	node->netns = ockam_netns_ref_open(node->options->netns, node->record.netns, err);
	return node->netns < 0 ? node->netns : 0;
}

static int ockamd_node_start(struct ockamd_node *node, struct ockam_err *err)
{
	int ret;

	ret = ockamd_loop_init(&node->loop);
	if (ret)
		return ockam_err_set(err, ret, "Cannot wait for events: %s", strerror(-ret));
	/* Keys of identities are in memory from here on. */
	ret = ockamd_privilege_hide_memory(err);
	if (!ret)
		ret = ockamd_node_watch_signals(node, err);
	if (!ret)
		ret = ockam_family_check(err);
	if (!ret)
		ret = ockamd_node_find_home(node, err);
	if (!ret)
		ret = ockamd_node_start_keeper(node, err);
	if (!ret)
		ret = ockamd_node_find_netns(node, err);
	if (!ret)
		ret = ockamd_node_claim(node, err);
	if (!ret)
		ret = ockamd_node_start_outside(node, err);
	if (!ret)
		ret = ockamd_node_start_inside(node, err);
	if (!ret)
		ret = ockamd_node_publish(node, err);
	if (node->netns >= 0)
		close(node->netns);
	node->netns = -1;
	return ret ? ret : ockamd_privilege_node(err);
}

/* ---- end ----------------------------------------------------------------------------- */

/* Last of all: the name is free. What stays here is swept by the next command. */
static void ockamd_node_release(struct ockamd_node *node)
{
	if (node->life < 0)
		return;
	if (ockamd_keeper_unpin(node->keeper, &node->pin))
		close(node->life);
	else
		ockam_life_end(&node->home, node->options->name, node->life);
	node->life = -1;
}

static void ockamd_node_end(struct ockamd_node *node)
{
	bool listens = node->ctl.watch.fd >= 0;
	struct stat st;

	ockamd_listener_close_all(node);
	ockamd_ctl_stop(node);
	/* Only our own: it may be another process's that kept us from starting. */
	if (listens && !lstat(node->control, &st) && st.st_ino == node->control_file)
		unlink(node->control);
	/* Root may end any: that of another process it is not to. */
	if (node->owns)
		ockam_nl_node_del(node->nl, NULL);
	ockamd_spawn_stop(node);
	ockamd_learn_stop(node);
	ockamd_uppercase_stop(node);
	ockam_nl_close(node->nl);
	if (node->store)
		ockam_store_set_wait(node->store, OCKAMD_NODE_END_MS);
	if (node->claimed && !node->came_up)
		ockamd_node_unclaim(node);
	ockam_store_close(node->store);
	ockamd_node_release(node);
	ockam_node_trust_free(&node->trust_before);
	ockamd_present_wipe(node);
	ockamd_attributes_wipe(node);
	ockamd_rule_wipe(node);
	ockamd_keyring_wipe(node);
}

/* @err: why it did not start, or NULL; @note: what to tell of a node that did, or "". */
static void ockamd_node_report(const struct ockamd_options *o, const struct ockam_err *err,
			       const char *note)
{
	struct pollfd reader = { .fd = o->ready_fd };

	if (o->ready_fd < 0)
		return;
	if (err)
		dprintf(o->ready_fd, "error: %s\n", err->text);
	else
		dprintf(o->ready_fd, "%s%s%sok\n", note[0] ? "note: " : "", note,
			note[0] ? "\n" : "");
	/* Nobody waits for whoever prints the failure in the foreground: do not end before. */
	if (err && o->foreground)
		poll(&reader, 1, OCKAMD_NODE_REPORT_MS);
	close(o->ready_fd);
}

static void ockamd_node_watch_input(struct ockamd_node *node)
{
	node->input_watch.fd = STDIN_FILENO;
	node->input_watch.fn = ockamd_node_input;
	if (!ockamd_loop_add(&node->loop, &node->input_watch, EPOLLIN))
		return;
	/* A plain file or /dev/null cannot be waited for: its end is here already. */
	dprintf(STDERR_FILENO, "EOF received\n");
	ockamd_node_stop(node, "end of input");
}

int ockamd_node_run(const struct ockamd_options *options)
{
	struct rlimit files = { .rlim_cur = 65536, .rlim_max = 65536 };
	static struct ockamd_node node;
	struct ockam_err err;
	int ret;

	node.options = options;
	node.keeper = -1;
	node.netns = -1;
	node.spawn.pipe.fd = -1;
	node.spawn.process.fd = -1;
	node.ctl.watch.fd = -1;
	node.life = -1;
	/* One for each listener, client and connection on its way; as far as allowed. */
	if (setrlimit(RLIMIT_NOFILE, &files)) {
		getrlimit(RLIMIT_NOFILE, &files);
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	ret = ockamd_node_start(&node, &err);
	if (ret) {
		/* In the foreground the reader of the report says it, once. */
		if (!options->foreground || options->ready_fd < 0)
			ockamd_error("node %s: cannot start: %s", options->name, err.text);
		/* First: whoever reads the report finds everything as it was. */
		ockamd_node_end(&node);
		ockamd_node_report(options, &err, "");
		return EX_SOFTWARE;
	}
	node.came_up = true;
	/* The loop waits for nobody who has locked the database. */
	ockam_store_set_wait(node.store, 0);
	ockamd_info("node %s: up, process %d", options->name, getpid());
	ockamd_node_report(options, NULL, node.unpinned);
	if (options->exit_on_eof)
		ockamd_node_watch_input(&node);
	ret = ockamd_loop_run(&node.loop);
	if (ret)
		ockamd_error("node %s: cannot wait for events: %s", options->name, strerror(-ret));
	ockamd_node_end(&node);
	ockamd_info("node %s: stopped", options->name);
	return ret ? EX_SOFTWARE : 0;
}
