// SPDX-License-Identifier: Apache-2.0
/*
 * Programs that a security module does not let use the sockets of links: they
 * send over links all the same, for these sockets are not theirs; and a refusal
 * ends no link. The security module is a BPF program.
 *
 * where: vm
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "exchange.h"

enum { LINK_OWNER = 4243, CONFINED = 4242 };

/* ---- a security module ---- */

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

/* Bytes behind a type of the kernel's type information. */
static size_t btf_extra(const struct btf_type *t)
{
	unsigned int n = BTF_INFO_VLEN(t->info);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return n * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return n * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return n * sizeof(struct btf_enum64);
	case BTF_KIND_FUNC_PROTO:
		return n * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return n * sizeof(struct btf_var_secinfo);
	default:
		return 0;
	}
}

/* The number of the kernel's function @name, or 0. */
static uint32_t btf_function(const char *name)
{
	int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY);
	const struct btf_header *h;
	const uint8_t *types, *p;
	const char *names;
	uint32_t id = 1, found = 0;
	struct stat st;
	ssize_t n = 0;
	char *all;

	if (fd < 0 || fstat(fd, &st))
		return 0;
	all = malloc(st.st_size);
	for (ssize_t got = 1; got > 0 && n < st.st_size; n += got)
		got = read(fd, all + n, st.st_size - n);
	close(fd);
	h = (const struct btf_header *)all;
	types = (const uint8_t *)all + h->hdr_len + h->type_off;
	names = all + h->hdr_len + h->str_off;
	for (p = types; p < types + h->type_len && !found; id++) {
		const struct btf_type *t = (const struct btf_type *)p;

		if (BTF_INFO_KIND(t->info) == BTF_KIND_FUNC && !strcmp(names + t->name_off, name))
			found = id;
		p += sizeof(*t) + btf_extra(t);
	}
	free(all);
	return found;
}

#define INSN(c, d, s, o, i) { .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) }

/*
 * Refuse the operations of @hook on stream sockets to the user, or to the process,
 * with the number @who. A descriptor; closing it ends that.
 */
static int refuse(const char *hook, bool process, uint32_t who)
{
	/* Of what the call gives: the upper half, or the lower one. */
	const struct bpf_insn tgid = INSN(BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_0, 0, 0, 32);
	const struct bpf_insn uid = INSN(BPF_ALU | BPF_MOV | BPF_X, BPF_REG_0, BPF_REG_0, 0, 0);
	const struct bpf_insn insns[] = {
		/* struct socket: state, type */
		INSN(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_2, BPF_REG_1, 0, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_H, BPF_REG_2, BPF_REG_2, 4, 0),
		INSN(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_2, 0, 5, SOCK_STREAM),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, process ? BPF_FUNC_get_current_pid_tgid :
							   BPF_FUNC_get_current_uid_gid),
		process ? tgid : uid,
		INSN(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 2, who),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, -EACCES),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	static char log[65536];
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_LSM,
		.expected_attach_type = BPF_LSM_MAC,
		.attach_btf_id = btf_function(hook),
		.insns = (unsigned long)insns,
		.insn_cnt = sizeof(insns) / sizeof(*insns),
		.license = (unsigned long)"GPL",
		.log_buf = (unsigned long)log,
		.log_size = sizeof(log),
		.log_level = 1,
	};
	int prog = bpf(BPF_PROG_LOAD, &attr);
	int fd;

	if (prog < 0) {
		printf("Bail out! no security module: %s\n%s\n", strerror(errno), log);
		exit(1);
	}
	memset(&attr, 0, sizeof(attr));
	attr.raw_tracepoint.prog_fd = prog;
	fd = bpf(BPF_RAW_TRACEPOINT_OPEN, &attr);
	if (fd < 0) {
		printf("Bail out! the security module is not used: %s\n", strerror(errno));
		exit(1);
	}
	close(prog);
	return fd;
}

/* ---- programs ---- */

/* Waits until @go is closed, then sends "x" over @l. */
static pid_t program(unsigned int uid, const struct lh_link *l, int go[2])
{
	pid_t pid;
	char byte;

	if (pipe(go))
		exit(1);
	pid = fork();
	if (pid)
		return pid;
	close(go[1]);
	nlh_enter(&node);
	if (setresuid(uid, uid, uid) || read(go[0], &byte, 1))
		_exit(1);
	_exit(sock_send(sock_new(), NAME(l->name, "far"), "x", 1));
}

static int finish(pid_t pid, int go[2])
{
	int status = -1;

	close(go[0]);
	close(go[1]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What was sent has arrived at the other end, and the link is still there. */
static void check_arrives(const struct lh_link *l, const char *what)
{
	struct lh_message f;

	ok(lh_read_frame(l->raw, &f) && f.n_onward == 1 && !strcmp(f.onward[0], "far"),
	   "%s: the message arrives", what);
	ok(!nlh_link_get(&node, l->name, NULL), "%s: the link goes on", what);
}

/* The hook sees programs: else what follows would prove nothing. */
static void test_hook(void)
{
	int fd = refuse("bpf_lsm_socket_sendmsg", true, getpid());
	int pair[2];

	ok(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair) && failed(send(pair[0], "x", 1, 0)) == EACCES,
	   "a stream socket is refused to this process");
	close(fd);
	for (int i = 0; i < 500 && send(pair[0], "x", 1, 0) < 0; i++)
		usleep(10000);
	ok(!failed(send(pair[0], "x", 1, 0)), "and is not afterwards");
	close(pair[0]);
	close(pair[1]);
}

static void test_confined(const struct lh_link *l)
{
	int fd, go[2];
	pid_t pid;

	fd = refuse("bpf_lsm_socket_sendmsg", false, CONFINED);
	pid = program(CONFINED, l, go);
	ok(!finish(pid, go), "a confined user sends");
	check_arrives(l, "a confined user");
	close(fd);

	pid = program(0, l, go);
	fd = refuse("bpf_lsm_socket_sendmsg", true, pid);
	ok(!finish(pid, go), "a confined process sends");
	check_arrives(l, "a confined process");
	close(fd);
}

/* The owner himself is refused for a while. */
static void test_owner(const struct lh_link *l)
{
	uint8_t frame[1024];
	struct nlh_link info;
	int fd, go[2], svc;
	char buf[16];
	pid_t pid;

	fd = refuse("bpf_lsm_socket_sendmsg", false, LINK_OWNER);
	pid = program(0, l, go);
	ok(!finish(pid, go), "over a link whose owner is refused a program sends");
	info.queued_bytes = 0;
	nlh_link_get(&node, l->name, &info);
	ok(info.queued_bytes, "the message waits (%llu bytes)",
	   (unsigned long long)info.queued_bytes);
	close(fd);
	check_arrives(l, "the owner may again");

	svc = node_socket("svc");
	sock_set(svc, OCKAM_REACH, OCKAM_REACH_ALL);
	fd = refuse("bpf_lsm_socket_recvmsg", false, LINK_OWNER);
	ok(lh_write(l->raw, frame, lh_frame(frame, "svc", NULL, "x", 1)), "the peer sends");
	usleep(200000);
	ok(sock_recv(svc, buf, sizeof(buf), 0, NULL) == -EAGAIN &&
	   !nlh_link_get(&node, l->name, NULL), "the owner may not receive: the link goes on");
	close(fd);
	ok(receive(svc, buf, sizeof(buf)) == 1, "he may again: the message comes");
	close(svc);
}

int main(void)
{
	struct lh_link l;

	open_node();
	test_hook();
	ok(!setresuid(LINK_OWNER, 0, 0), "the owner of a link");
	lh_open(&l, &node, LH_TCP4, NULL);
	ok(!setresuid(0, 0, 0), "has made it");
	test_confined(&l);
	test_owner(&l);
	lh_close(&l);
	close_node();
	return tap_done();
}
