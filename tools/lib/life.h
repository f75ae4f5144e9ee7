/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which nodes of a home live. A node process holds a lock on a file of the home,
 * nodes/.<node>.lock, as long as it runs. The kernel gives the lock up with the
 * process and shows it to everybody who sees the home, from whatever PID or mount
 * namespace; a number of a process is right in one PID namespace of one boot.
 *
 * The file says what the process has made elsewhere, so that nothing else is
 * removed when it is gone. What was written in another boot, or into another
 * file that this one was copied from, says nothing.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_LIFE_H
#define OCKAM_LIB_LIFE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"
#include "home.h"
#include "names.h"

enum ockam_process_state {
	OCKAM_PROCESS_GONE,
	OCKAM_PROCESS_ZOMBIE,
	OCKAM_PROCESS_RUNNING,
};

/* A name under OCKAM_NETNS_DIR that a node made: the file, and what is mounted on it. */
struct ockam_pin {
	char		name[NAME_MAX + 1];	/* "" = none */
	uint64_t	file;			/* inodes */
	uint64_t	netns;
};

/*
 * What is known of a node's process. state ZOMBIE: it has ended, its parent has
 * not looked yet. Numbers are 0, texts "" when the file does not say.
 */
struct ockam_life {
	enum ockam_process_state	state;
	pid_t				pid;	/* in the PID namespace it runs in */
	uint64_t			start;	/* clock ticks since boot */
	bool				here;	/* the caller is in that namespace */
	char				control[OCKAM_CONTROL_PATH];
	struct ockam_pin		pin;
};

struct ockam_life_name {
	char	text[OCKAM_NAME_SIZE];
};

/**
 * ockam_life_take() - this process becomes the node @name
 * @home: its home, which exists
 * @name: the node
 * @control: path of its control socket
 * @err: the reason
 *
 * Return: descriptor of the lock, for ockam_life_end(); -EEXIST "Node n is already
 * running"; -EBUSY when another command cleans up behind that name for too long.
 */
int ockam_life_take(const struct ockam_home *home, const char *name, const char *control,
		    struct ockam_err *err);

/** ockam_life_pin() - write down what is about to be pinned; 0 or a negative errno */
int ockam_life_pin(int fd, const struct ockam_pin *pin);

/** ockam_life_end() - the process ends and has left nothing behind */
void ockam_life_end(const struct ockam_home *home, const char *name, int fd);

/** ockam_life_look() - does the node run, and as what */
void ockam_life_look(const struct ockam_home *home, const char *name, struct ockam_life *life);

/**
 * ockam_life_bury() - is the node dead? Then keep it so until ockam_life_end()
 * @life: receives what it has left
 *
 * Return: descriptor; -ENOENT when nothing is left of it, -EBUSY when it runs, is a
 * zombie, or another command cleans up behind it for too long.
 */
int ockam_life_bury(const struct ockam_home *home, const char *name, struct ockam_life *life);

/**
 * ockam_life_names() - nodes that run or have left something, in no order
 * @names: receives an array to be freed
 *
 * Return: their number or -ENOMEM.
 */
int ockam_life_names(const struct ockam_home *home, struct ockam_life_name **names);

/** ockam_life_pid() - number of the process for the caller; 0 when it has none there */
pid_t ockam_life_pid(const struct ockam_life *life);

/**
 * ockam_life_open() - the node process itself, for a signal
 *
 * Return: a pidfd that is that process's and no other's, whatever number it has;
 * -ESRCH when it cannot be told or is in a PID namespace that the caller does not see.
 */
int ockam_life_open(const struct ockam_home *home, const char *name);

/** ockam_process_start() - start time of @pid in clock ticks since boot, 0 when it is gone */
uint64_t ockam_process_start(pid_t pid);

/** ockam_process_state() - is @pid still the process that started at @start */
enum ockam_process_state ockam_process_state(pid_t pid, uint64_t start);

#endif /* OCKAM_LIB_LIFE_H */
