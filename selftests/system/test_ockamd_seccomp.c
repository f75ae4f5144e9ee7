// SPDX-License-Identifier: Apache-2.0
/*
 * A handshake worker and a node process that were taken over: a debugger makes
 * them try what their attacker would. Each try must end the worker, and a new one
 * must come; it must end the node process, or fail.
 *
 * where: uml vm
 * long: debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/tap.h"
#include "node.h"

static char home_dir[32] = "/tmp/ockam-test.XXXXXX";
static pid_t node;

static bool start_node(void)
{
	if (mkdtemp(home_dir))
		node = node_start(home_dir, "taken", "off");
	return node > 0;
}

/* A line of /proc/PID/status, as a number; -1 when it is not there. */
static long status_of(pid_t pid, const char *key)
{
	char path[64], line[256];
	long value = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, key, strlen(key)))
			value = strtol(line + strlen(key), NULL, 10);
	}
	if (f)
		fclose(f);
	return value;
}

/* The node's worker, once it is locked up; 0 when none comes in 30 s. */
static pid_t find_worker(pid_t other_than)
{
	struct dirent *entry;
	pid_t pid, found = 0;
	DIR *proc;
	int i;

	for (i = 0; i < 600 && !found; i++) {
		proc = opendir("/proc");
		while ((entry = readdir(proc))) {
			pid = atoi(entry->d_name);
			if (pid > 0 && pid != other_than && status_of(pid, "PPid:") == node &&
			    status_of(pid, "Seccomp:") == 2)
				found = pid;
		}
		closedir(proc);
		if (!found)
			usleep(50000);
	}
	return found;
}

#ifdef __x86_64__
struct attempt {
	const char	*what;
	long		number;
	long		args[6];
};

/*
 * Have @pid, which waits in poll(), make a system call. True when it dies of
 * it; else it goes on as if nothing had happened and *result is what it got.
 */
static bool dies_of(pid_t pid, const struct attempt *a, long *result)
{
	struct user_regs_struct before, regs;
	int status = 0;

	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) || waitpid(pid, &status, __WALL) != pid ||
	    ptrace(PTRACE_GETREGS, pid, NULL, &regs)) {
		printf("# cannot be traced\n");
		return false;
	}
	before = regs;
	/* It sits behind the two bytes of a system call instruction: go back to them. */
	regs.rip -= 2;
	regs.rax = (unsigned long)a->number;
	regs.orig_rax = (unsigned long)-1;
	regs.rdi = (unsigned long)a->args[0];
	regs.rsi = (unsigned long)a->args[1];
	regs.rdx = (unsigned long)a->args[2];
	regs.r10 = (unsigned long)a->args[3];
	regs.r8 = (unsigned long)a->args[4];
	regs.r9 = (unsigned long)a->args[5];
	ptrace(PTRACE_SETREGS, pid, NULL, &regs);
	ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
	if (waitpid(pid, &status, __WALL) != pid)
		return true;
	if (WIFSIGNALED(status) || WIFEXITED(status))
		return true;
	ptrace(PTRACE_GETREGS, pid, NULL, &regs);
	*result = (long)regs.rax;
	ptrace(PTRACE_SETREGS, pid, NULL, &before);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return false;
}

static const struct attempt attempts[] = {
	{ "opening a file", SYS_openat, { AT_FDCWD, 0, O_RDONLY } },
	{ "making a socket", SYS_socket, { AF_UNIX, SOCK_STREAM, 0 } },
	{ "becoming another program", SYS_execve, { 0, 0, 0 } },
	{ "making a process", SYS_clone, { SIGCHLD, 0, 0, 0, 0 } },
	{ "entering a namespace", SYS_setns, { 3, 0 } },
	{ "signalling somebody", SYS_kill, { 1, 0 } },
	{ "memory for code", SYS_mmap, { 0, 4096, PROT_READ | PROT_EXEC,
	  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 } },
};
#endif

static void test_attempts(void)
{
#ifdef __x86_64__
	pid_t worker = find_worker(0);
	const struct attempt harmless = { "", SYS_getpid, { 0 } };
	long result = 0;
	size_t i;

	if (!ok(worker > 0, "it has a locked-up worker"))
		return;
	usleep(200000);
	ok(!dies_of(worker, &harmless, &result) && result == worker,
	   "it can be made to do what is allowed");
	for (i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		usleep(200000);
		ok(dies_of(worker, &attempts[i], &result), "%s ends it", attempts[i].what);
		worker = find_worker(worker);
		if (!ok(worker > 0, "and a new one comes"))
			return;
	}
#else
	tap_count++;
	printf("ok %u - attempts # SKIP only written for x86-64\n", tap_count);
#endif
}

#ifdef __x86_64__
static const struct attempt node_deaths[] = {
	{ "becoming another program", SYS_execve, { 0, 0, 0 } },
	{ "making a process", SYS_clone, { SIGCHLD, 0, 0, 0, 0 } },
	{ "tracing", SYS_ptrace, { PTRACE_ATTACH, 1, 0, 0 } },
	{ "entering a namespace", SYS_setns, { 3, 0 } },
	{ "mounting", SYS_mount, { 0, 0, 0, 0, 0 } },
	{ "loading a module", SYS_finit_module, { 3, 0, 0 } },
	{ "becoming another user", SYS_setresuid, { 1, 1, 1 } },
};

static const struct attempt node_failures[] = {
	{ "a socket of IPv4", SYS_socket, { AF_INET, SOCK_STREAM, 0 } },
	{ "a socket of netlink", SYS_socket, { AF_NETLINK, SOCK_RAW, 0 } },
	{ "another owner of a file", SYS_fchownat, { AT_FDCWD, 0, 0, 0, 0 } },
	{ "another limit", SYS_prlimit64, { 1, RLIMIT_NOFILE, 0, 0 } },
	{ "a device", SYS_mknod, { 0, 0, 0 } },
};
#endif

static void test_node(void)
{
#ifdef __x86_64__
	long result = 0;
	size_t i;

	for (i = 0; i < sizeof(node_failures) / sizeof(node_failures[0]); i++) {
		usleep(200000);
		ok(!dies_of(node, &node_failures[i], &result) && result == -ENOSYS,
		   "a node process: %s is refused", node_failures[i].what);
	}
	for (i = 0; i < sizeof(node_deaths) / sizeof(node_deaths[0]); i++) {
		usleep(200000);
		ok(dies_of(node, &node_deaths[i], &result), "a node process: %s ends it",
		   node_deaths[i].what);
		/* Unless the debugger has done so. */
		waitpid(node, NULL, WNOHANG);
		node = node_start(home_dir, "taken", "off");
		if (!ok(node > 0, "it can be started again"))
			return;
	}
#endif
}

int main(void)
{
	int status = -1;

	if (!ok(start_node(), "a node starts"))
		return 1;
	test_attempts();
	test_node();
	kill(node, SIGTERM);
	waitpid(node, &status, 0);
	ok(WIFEXITED(status) && !WEXITSTATUS(status), "the node ends as asked");
	return tap_done();
}
