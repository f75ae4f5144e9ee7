// SPDX-License-Identifier: Apache-2.0
/*
 * Standing in for a child.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

void ctl_follow_prepare(sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, before);
}

/* The terminal, if this process may use it now; -1 otherwise. */
static int ctl_follow_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd >= 0 && tcgetpgrp(fd) != getpgrp()) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/*
 * A shell makes process groups and gives the terminal to them. The number of the one
 * that it should give it back to means nothing in its PID namespace.
 */
static void ctl_follow_take_back(int terminal)
{
	if (terminal >= 0 && tcgetpgrp(terminal) != getpgrp())
		tcsetpgrp(terminal, getpgrp());
}

/* Has it ended? Then *@status is what it left. Has it stopped, so do we. */
static bool ctl_follow_look(pid_t child, int terminal, int *status)
{
	pid_t pid;

	do {
		pid = waitpid(child, status, WNOHANG | WUNTRACED);
	} while (pid < 0 && errno == EINTR);
	if (pid != child)
		return false;
	if (!WIFSTOPPED(*status))
		return true;
	ctl_follow_take_back(terminal);
	raise(SIGSTOP);
	/* Whoever continued us may not have meant it. */
	kill(child, SIGCONT);
	return false;
}

int ctl_follow(pid_t child)
{
	int terminal = ctl_follow_terminal();
	siginfo_t info;
	sigset_t all;
	int status = 0;
	int signal;

	sigfillset(&all);
	for (;;) {
		signal = sigwaitinfo(&all, &info);
		if (signal == SIGCHLD) {
			if (ctl_follow_look(child, terminal, &status))
				break;
		} else if (signal > 0 && info.si_code <= 0 && info.si_pid != child) {
			kill(child, signal);
		}
	}
	ctl_follow_take_back(terminal);
	if (terminal >= 0)
		close(terminal);
	return WIFSIGNALED(status) ? CTL_FOLLOW_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}
