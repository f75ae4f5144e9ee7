// SPDX-License-Identifier: Apache-2.0
/*
 * The keeper, and how the node process asks it.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "keeper.h"
#include "privilege.h"
#include "sweep.h"

#define OCKAMD_KEEPER_ANSWER_S	30	/* the node process cannot go on without */
#define OCKAMD_KEEPER_STACK	(64 * 1024)
#define OCKAMD_KEEPER_PIN	"ockam-"	/* all pins begin with it */

enum ockamd_keeper_op {
	OCKAMD_KEEPER_SOCKET,
	OCKAMD_KEEPER_SPAWN,
	OCKAMD_KEEPER_ROOM,
	OCKAMD_KEEPER_SIBLING,
	OCKAMD_KEEPER_UNPIN,
};

/* fds behind it: SPAWN: the process's own and a network namespace; ROOM: a socket. */
struct ockamd_keeper_request {
	uint32_t	sequence;	/* of the answer, too: one may come too late */
	uint32_t	op;
	int32_t		number;		/* SOCKET: family; SPAWN: role */
	union {
		char			text[OCKAMD_KEEPER_TEXT];	/* SPAWN, SIBLING */
		struct ockam_pin	pin;				/* UNPIN */
	};
};

struct ockamd_keeper_answer {
	uint32_t	sequence;
	int32_t		result;		/* SPAWN: process id; else 0 or a negative errno */
};

#define OCKAMD_KEEPER_FDS	2

/* What its children need to lock themselves up, and itself. */
static const int ockamd_keeper_caps[] = {
	CAP_SYS_ADMIN,		/* namespaces, mounts, the pin */
	CAP_SYS_CHROOT,
	CAP_NET_ADMIN,		/* the worker's WORKER_BIND, room in sockets */
	CAP_SETUID, CAP_SETGID, CAP_SETPCAP,
	CAP_IPC_LOCK, CAP_SYS_RESOURCE,
};

static const char * const ockamd_keeper_roles[__OCKAMD_KEEPER_ROLES] = {
	[OCKAMD_KEEPER_WORKER]		= "worker",
	[OCKAMD_KEEPER_UPPERCASE]	= "uppercase",
	[OCKAMD_KEEPER_LOOKUP]		= "lookup",
};

/* ---- packets with descriptors ------------------------------------------------ */

static int ockamd_keeper_send(int sock, const void *data, size_t len, const int *fds, size_t n)
{
	union {
		struct cmsghdr	align;
		char		bytes[CMSG_SPACE(OCKAMD_KEEPER_FDS * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;
	ssize_t ret;

	if (n) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, n * sizeof(int));
	}
	do {
		ret = sendmsg(sock, &msg, MSG_NOSIGNAL);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : 0;
}

/* Exactly @len bytes; descriptors that did not come are -1. 0, -EPIPE at the end, or why not. */
static int ockamd_keeper_receive(int sock, void *data, size_t len, int fds[OCKAMD_KEEPER_FDS])
{
	union {
		struct cmsghdr	align;
		char		bytes[CMSG_SPACE(OCKAMD_KEEPER_FDS * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = data, .iov_len = len };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *cmsg;
	ssize_t n;
	size_t i;

	for (i = 0; i < OCKAMD_KEEPER_FDS; i++)
		fds[i] = -1;
	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n ? -errno : -EPIPE;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(fds, CMSG_DATA(cmsg), cmsg->cmsg_len - CMSG_LEN(0));
	return n == (ssize_t)len && !(msg.msg_flags & MSG_TRUNC) ? 0 : -EBADMSG;
}

/* ---- in a process that it starts ------------------------------------------------ */

struct ockamd_keeper_job {
	const struct ockamd_keeper_request	*request;
	const int				*fds;
};

/* Becomes a child of the node process: CLONE_PARENT. */
static int ockamd_keeper_child(void *arg)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
	const struct ockamd_keeper_job *job = arg;
	const struct ockamd_keeper_request *request = job->request;
	char * const argv[] = {
		(char *)"ockamd", (char *)ockamd_keeper_roles[request->number],
		request->text[0] ? (char *)request->text : NULL, NULL
	};
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	if (request->number != OCKAMD_KEEPER_LOOKUP && setns(job->fds[1], CLONE_NEWNET))
		_exit(126);
	if (job->fds[0] == OCKAMD_KEEPER_FD)
		fcntl(OCKAMD_KEEPER_FD, F_SETFD, 0);
	else if (dup2(job->fds[0], OCKAMD_KEEPER_FD) < 0)
		_exit(126);
	execv("/proc/self/exe", argv);
	_exit(127);
}

/* ---- in the keeper --------------------------------------------------------------- */

static int ockamd_keeper_do_spawn(const struct ockamd_keeper_request *request, const int *fds)
{
	static char stack[OCKAMD_KEEPER_STACK] __attribute__((aligned(64)));
	struct ockamd_keeper_job job = { .request = request, .fds = fds };
	bool lookup = request->number == OCKAMD_KEEPER_LOOKUP;
	pid_t pid;

	if (request->number < 0 || request->number >= __OCKAMD_KEEPER_ROLES ||
	    !memchr(request->text, '\0', sizeof(request->text)) ||
	    fds[0] < 0 || (!lookup && fds[1] < 0) || lookup == !request->text[0])
		return -EINVAL;
	/* The memory is a copy: the stack may be any. */
	pid = clone(ockamd_keeper_child, stack + sizeof(stack), CLONE_PARENT | SIGCHLD, &job);
	return pid < 0 ? -errno : pid;
}

static int ockamd_keeper_do_unpin(const struct ockam_pin *pin)
{
	if (!memchr(pin->name, '\0', sizeof(pin->name)) || strchr(pin->name, '/') ||
	    strncmp(pin->name, OCKAMD_KEEPER_PIN, strlen(OCKAMD_KEEPER_PIN)))
		return -EINVAL;
	return ockam_sweep_unpin(pin);
}

/* The socket is made even when it does not connect: the caller closes it. */
static int ockamd_keeper_do_sibling(const struct ockam_home *home, const char *name, int *made)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	uid_t user;
	int ret;

	if (!memchr(name, '\0', OCKAMD_KEEPER_TEXT))
		return -EINVAL;
	ret = ockam_control_find(home, name, addr.sun_path, NULL);
	if (ret)
		return ret;
	*made = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*made < 0 || connect(*made, (struct sockaddr *)&addr, sizeof(addr)))
		return -errno;
	return ockam_control_peer(*made, &user);
}

static int ockamd_keeper_do(const struct ockam_home *home,
			    const struct ockamd_keeper_request *request, const int *fds, int *made)
{
	int room = 2 * OCKAM_CONTROL_MAX;

	switch (request->op) {
	case OCKAMD_KEEPER_SOCKET:
		if (request->number != AF_INET && request->number != AF_INET6)
			return -EAFNOSUPPORT;
		*made = socket(request->number, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		return *made < 0 ? -errno : 0;
	case OCKAMD_KEEPER_SPAWN:
		return ockamd_keeper_do_spawn(request, fds);
	case OCKAMD_KEEPER_ROOM:
		return setsockopt(fds[0], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) ?
			-errno : 0;
	case OCKAMD_KEEPER_SIBLING:
		return ockamd_keeper_do_sibling(home, request->text, made);
	case OCKAMD_KEEPER_UNPIN:
		return ockamd_keeper_do_unpin(&request->pin);
	}
	return -EINVAL;
}

static void ockamd_keeper_serve(const struct ockam_home *home, int sock)
{
	struct ockamd_keeper_request request;
	int fds[OCKAMD_KEEPER_FDS];
	struct ockamd_keeper_answer answer;
	int made;
	int ret;
	int i;

	do {
		made = -1;
		ret = ockamd_keeper_receive(sock, &request, sizeof(request), fds);
		if (!ret) {
			answer.sequence = request.sequence;
			answer.result = ockamd_keeper_do(home, &request, fds, &made);
			ret = ockamd_keeper_send(sock, &answer, sizeof(answer), &made,
						 !answer.result && made >= 0);
		}
		for (i = 0; i < OCKAMD_KEEPER_FDS; i++)
			if (fds[i] >= 0)
				close(fds[i]);
		if (made >= 0)
			close(made);
	} while (!ret);
}

static void ockamd_keeper_run(const struct ockam_home *home, int sock)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
	sigset_t none;
	size_t i;
	int fd;

	/* It ends behind the node process, which a terminal or a service manager ends. */
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_IGN);
	/* What the node process blocks its children shall not. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_NAME, "ockamd-keeper");
	/* Nothing of the caller's stays open: somebody may wait for the end of a pipe. */
	if (dup2(sock, OCKAMD_KEEPER_FD) < 0)
		_exit(1);
	close_range(OCKAMD_KEEPER_FD + 1, ~0U, 0);
	fcntl(OCKAMD_KEEPER_FD, F_SETFD, FD_CLOEXEC);
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (fd < 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(1);
	close(fd);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || chdir("/") ||
	    ockamd_privilege_keep(ockamd_keeper_caps, sizeof(ockamd_keeper_caps) / sizeof(int)))
		_exit(1);
	ockamd_keeper_serve(home, OCKAMD_KEEPER_FD);
	_exit(0);
}

/* ---- in the node process ------------------------------------------------------------ */

int ockamd_keeper_start(const struct ockam_home *home, struct ockam_err *err)
{
	const struct timeval limit = { .tv_sec = OCKAMD_KEEPER_ANSWER_S };
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return ockam_err_set(err, -errno, "Cannot make a socket pair: %s", strerror(errno));
	pid = fork();
	if (!pid)
		ockamd_keeper_run(home, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		ockam_err_set(err, -errno, "Cannot start a process: %s", strerror(errno));
		close(ends[0]);
		return err->code;
	}
	setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return ends[0];
}

/* Returns the result, and what was made in *made, when that is not NULL. */
static int ockamd_keeper_ask(int keeper, struct ockamd_keeper_request *request, const int *fds,
			     size_t n, int *made)
{
	static uint32_t sequence;
	struct ockamd_keeper_answer answer = { 0 };
	int got[OCKAMD_KEEPER_FDS] = { -1, -1 };
	int ret;

	request->sequence = ++sequence;
	ret = ockamd_keeper_send(keeper, request, sizeof(*request), fds, n);
	while (!ret && answer.sequence != request->sequence) {
		if (got[0] >= 0)
			close(got[0]);
		ret = ockamd_keeper_receive(keeper, &answer, sizeof(answer), got);
	}
	if (ret)
		return ret;
	if (made)
		*made = got[0];
	return answer.result;
}

static int ockamd_keeper_make(int keeper, struct ockamd_keeper_request *request)
{
	int made = -1;
	int ret;

	ret = ockamd_keeper_ask(keeper, request, NULL, 0, &made);
	if (ret)
		return ret;
	return made < 0 ? -EMFILE : made;
}

int ockamd_keeper_socket(int keeper, int family)
{
	struct ockamd_keeper_request request = { .op = OCKAMD_KEEPER_SOCKET, .number = family };

	return ockamd_keeper_make(keeper, &request);
}

int ockamd_keeper_sibling(int keeper, const char *name)
{
	struct ockamd_keeper_request request = { .op = OCKAMD_KEEPER_SIBLING };

	if (strlen(name) >= sizeof(request.text))
		return -ENAMETOOLONG;
	strcpy(request.text, name);
	return ockamd_keeper_make(keeper, &request);
}

pid_t ockamd_keeper_spawn(int keeper, enum ockamd_keeper_role role, int fd, const char *text)
{
	int fds[OCKAMD_KEEPER_FDS] = { fd, open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC) };
	struct ockamd_keeper_request request = { .op = OCKAMD_KEEPER_SPAWN, .number = role };
	int ret = fds[1] < 0 ? -errno : 0;

	if (text && strlen(text) >= sizeof(request.text))
		ret = -ENAMETOOLONG;
	else if (text)
		strcpy(request.text, text);
	if (!ret)
		ret = ockamd_keeper_ask(keeper, &request, fds, 2, NULL);
	if (fds[1] >= 0)
		close(fds[1]);
	close(fd);
	return ret;
}

void ockamd_keeper_make_room(int keeper, int fd)
{
	struct ockamd_keeper_request request = { .op = OCKAMD_KEEPER_ROOM };

	ockamd_keeper_ask(keeper, &request, &fd, 1, NULL);
}

int ockamd_keeper_unpin(int keeper, const struct ockam_pin *pin)
{
	struct ockamd_keeper_request request = { .op = OCKAMD_KEEPER_UNPIN, .pin = *pin };

	return pin->name[0] ? ockamd_keeper_ask(keeper, &request, NULL, 0, NULL) : 0;
}
