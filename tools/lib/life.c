// SPDX-License-Identifier: Apache-2.0
/*
 * Locks of node processes.
 *
 * Two bytes of the file are locked, each by its open file and not by a process
 * (an unrelated close() gives up the locks of a process): LIVES by the node process
 * from its start to its end, CHANGES for the moment in which a dead node is
 * cleaned up. A node takes LIVES and then waits for CHANGES; who cleans up
 * takes CHANGES and then looks at LIVES. A file that was removed meanwhile is
 * nobody's.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "life.h"

#define OCKAM_LIFE_TAIL		".lock"
#define OCKAM_LIFE_WAIT_MS	5000
#define OCKAM_LIFE_PAUSE_NS	5000000
#define OCKAM_LIFE_TEXT		1024
#define OCKAM_LIFE_BOOT		37	/* a UUID as text */

enum ockam_life_byte {
	OCKAM_LIFE_LIVES,
	OCKAM_LIFE_CHANGES,
};

static int ockam_life_path(const struct ockam_home *home, const char *name, char *path,
			   struct ockam_err *err)
{
	char file[OCKAM_NAME_SIZE + 16];

	snprintf(file, sizeof(file), "nodes/.%s" OCKAM_LIFE_TAIL, name);
	return ockam_home_file(home, file, path, err);
}

/* F_OFD_SETLK or F_OFD_GETLK of one byte. Return: is it free (now ours, with SETLK)? */
static bool ockam_life_fcntl(int fd, int command, enum ockam_life_byte byte)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1,
	};

	return !fcntl(fd, command, &lock) && (command != F_OFD_GETLK || lock.l_type == F_UNLCK);
}

/* Whoever holds CHANGES does so for moments, unless it was stopped. */
static bool ockam_life_wait_changes(int fd)
{
	const struct timespec pause = { .tv_nsec = OCKAM_LIFE_PAUSE_NS };

	for (int ms = 0; ms < OCKAM_LIFE_WAIT_MS; ms += OCKAM_LIFE_PAUSE_NS / 1000000) {
		if (ockam_life_fcntl(fd, F_OFD_SETLK, OCKAM_LIFE_CHANGES))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

/* Is the open file the one of that path still? */
static bool ockam_life_is_linked(int fd, const char *path)
{
	struct stat open, there;

	return !fstat(fd, &open) && !lstat(path, &there) && open.st_dev == there.st_dev &&
	       open.st_ino == there.st_ino;
}

/* ---- what the file says -------------------------------------------------------------- */

static void ockam_life_boot(char boot[OCKAM_LIFE_BOOT])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, boot, OCKAM_LIFE_BOOT - 1);

	boot[len > 0 ? len : 0] = '\0';
	boot[strcspn(boot, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
}

static uint64_t ockam_life_pid_ns(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) ? 0 : st.st_ino;
}

/* One write, so that nobody reads half of it. */
static int ockam_life_write(int fd, const struct ockam_life *life)
{
	char text[OCKAM_LIFE_TEXT], boot[OCKAM_LIFE_BOOT];
	const struct ockam_pin *pin = &life->pin;
	struct stat st;
	int len;

	ockam_life_boot(boot);
	if (fstat(fd, &st))
		return -errno;
	len = snprintf(text, sizeof(text),
		       "boot %s\nfile %ju:%ju\nprocess %d, started %" PRIu64
		       ", in PID namespace %" PRIu64 "\ncontrol %s\npin %s, file %" PRIu64
		       ", network namespace %" PRIu64 "\n",
		       boot, (uintmax_t)st.st_dev, (uintmax_t)st.st_ino, life->pid, life->start,
		       ockam_life_pid_ns(), life->control, pin->name[0] ? pin->name : "-",
		       pin->file, pin->netns);
	if (len >= (int)sizeof(text))
		return -ENAMETOOLONG;
	if (pwrite(fd, text, (size_t)len, 0) != len || ftruncate(fd, len))
		return errno ? -errno : -EIO;
	return 0;
}

/* Everything but the state; nothing is filled in when it says nothing. */
static void ockam_life_read(int fd, struct ockam_life *life)
{
	char text[OCKAM_LIFE_TEXT], now[OCKAM_LIFE_BOOT], boot[OCKAM_LIFE_BOOT];
	uint64_t pid_ns;
	uintmax_t dev, ino;
	struct stat st;
	ssize_t len;

	memset(life, 0, sizeof(*life));
	len = pread(fd, text, sizeof(text) - 1, 0);
	if (len <= 0 || fstat(fd, &st))
		return;
	text[len] = '\0';
	ockam_life_boot(now);
	if (sscanf(text, "boot %36s\nfile %ju:%ju\nprocess %d, started %" SCNu64
		   ", in PID namespace %" SCNu64 "\ncontrol %107[^\n]\npin %255[^,], file %" SCNu64
		   ", network namespace %" SCNu64, boot, &dev, &ino, &life->pid, &life->start,
		   &pid_ns, life->control, life->pin.name, &life->pin.file,
		   &life->pin.netns) != 10 ||
	    strcmp(boot, now) || dev != st.st_dev || ino != st.st_ino || life->pid <= 0) {
		memset(life, 0, sizeof(*life));
		return;
	}
	life->here = pid_ns == ockam_life_pid_ns();
	if (!strcmp(life->pin.name, "-") || strchr(life->pin.name, '/'))
		memset(&life->pin, 0, sizeof(life->pin));
}

/* What an open file tells: @fd is closed by the caller. */
static void ockam_life_judge(int fd, struct ockam_life *life)
{
	bool lives = !ockam_life_fcntl(fd, F_OFD_GETLK, OCKAM_LIFE_LIVES);

	ockam_life_read(fd, life);
	if (lives)
		life->state = OCKAM_PROCESS_RUNNING;
	else if (life->here && ockam_process_state(life->pid, life->start) == OCKAM_PROCESS_ZOMBIE)
		life->state = OCKAM_PROCESS_ZOMBIE;
}

/* ---- the node process ------------------------------------------------------------------ */

static int ockam_life_try(const char *path, const char *name, struct ockam_err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int ret = 0;

	if (fd < 0)
		return ockam_err_set(err, -errno, "cannot make %.150s: %s", path, strerror(errno));
	if (ockam_life_fcntl(fd, F_OFD_SETLK, OCKAM_LIFE_LIVES)) {
		if (!ockam_life_wait_changes(fd))
			ret = ockam_err_set(err, -EBUSY,
					    "another command cleans up behind the node %s for too long: try again",
					    name);
		else if (!ockam_life_is_linked(fd, path))
			ret = -ESTALE;
	} else if (errno == EAGAIN || errno == EACCES) {
		ret = ockam_err_set(err, -EEXIST, "Node %s is already running", name);
	} else {
		ret = ockam_err_set(err, -errno, "cannot lock %.150s: %s", path, strerror(errno));
	}
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

int ockam_life_take(const struct ockam_home *home, const char *name, const char *control,
		    struct ockam_err *err)
{
	struct ockam_life life = {
		.pid = getpid(), .start = ockam_process_start(getpid()),
	};
	const struct flock unlock = {
		.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = OCKAM_LIFE_CHANGES, .l_len = 1,
	};
	char path[PATH_MAX], dir[PATH_MAX];
	int fd, ret;

	ret = ockam_name_check_node(name, err);
	if (!ret)
		ret = ockam_home_file(home, "nodes", dir, err);
	if (!ret)
		ret = ockam_life_path(home, name, path, err);
	if (ret)
		return ret;
	if (mkdir(dir, 0700) && errno != EEXIST)
		return ockam_err_set(err, -errno, "cannot make the directory %.150s: %s", dir,
				     strerror(errno));
	do {
		fd = ockam_life_try(path, name, err);
	} while (fd == -ESTALE);
	if (fd < 0)
		return fd;
	snprintf(life.control, sizeof(life.control), "%s", control);
	ret = ockam_life_write(fd, &life);
	fcntl(fd, F_OFD_SETLK, &unlock);
	if (!ret)
		return fd;
	ockam_err_set(err, ret, "cannot write %.150s: %s", path, strerror(-ret));
	ockam_life_end(home, name, fd);
	return ret;
}

int ockam_life_pin(int fd, const struct ockam_pin *pin)
{
	struct ockam_life life;

	ockam_life_read(fd, &life);
	life.pin = *pin;
	return life.pid ? ockam_life_write(fd, &life) : -EIO;
}

void ockam_life_end(const struct ockam_home *home, const char *name, int fd)
{
	char path[PATH_MAX];

	if (!ockam_life_path(home, name, path, NULL) && ockam_life_is_linked(fd, path))
		unlink(path);
	close(fd);
}

/* ---- others -------------------------------------------------------------------------- */

void ockam_life_look(const struct ockam_home *home, const char *name, struct ockam_life *life)
{
	char path[PATH_MAX];
	int fd;

	memset(life, 0, sizeof(*life));
	if (ockam_life_path(home, name, path, NULL))
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return;
	ockam_life_judge(fd, life);
	close(fd);
}

int ockam_life_bury(const struct ockam_home *home, const char *name, struct ockam_life *life)
{
	char path[PATH_MAX];
	int ret, fd;

	ret = ockam_life_path(home, name, path, NULL);
	if (ret)
		return ret;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	ockam_life_judge(fd, life);
	if (life->state == OCKAM_PROCESS_GONE && ockam_life_wait_changes(fd)) {
		ockam_life_judge(fd, life);
		if (life->state == OCKAM_PROCESS_GONE && ockam_life_is_linked(fd, path))
			return fd;
	}
	ret = life->state == OCKAM_PROCESS_GONE && !ockam_life_is_linked(fd, path) ? -ENOENT
										     : -EBUSY;
	close(fd);
	return ret;
}

int ockam_life_names(const struct ockam_home *home, struct ockam_life_name **names)
{
	const size_t tail = strlen(OCKAM_LIFE_TAIL);
	char path[PATH_MAX];
	struct dirent *entry;
	int count = 0;
	DIR *dir;

	*names = NULL;
	dir = ockam_home_file(home, "nodes", path, NULL) ? NULL : opendir(path);
	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);
		struct ockam_life_name name = { };
		void *more;

		if (entry->d_name[0] != '.' || len <= 1 + tail || len - tail > sizeof(name.text) ||
		    strcmp(entry->d_name + len - tail, OCKAM_LIFE_TAIL))
			continue;
		memcpy(name.text, entry->d_name + 1, len - 1 - tail);
		if (ockam_name_check_node(name.text, NULL))
			continue;
		more = reallocarray(*names, (size_t)count + 1, sizeof(**names));
		if (!more) {
			free(*names);
			*names = NULL;
			count = -ENOMEM;
			break;
		}
		*names = more;
		(*names)[count++] = name;
	}
	closedir(dir);
	return count;
}

/* The process that listens at the control socket, as the kernel names it to the caller. */
static pid_t ockam_life_listener(const struct ockam_life *life, struct ockam_control **control)
{
	pid_t pid;

	*control = NULL;
	if (!life->control[0] || ockam_control_connect(life->control, control, NULL))
		return 0;
	pid = ockam_control_peer_pid(*control);
	if (pid > 0)
		return pid;
	ockam_control_close(*control);
	*control = NULL;
	return 0;
}

pid_t ockam_life_pid(const struct ockam_life *life)
{
	struct ockam_control *control;
	pid_t pid;

	if (life->state != OCKAM_PROCESS_RUNNING)
		return 0;
	if (life->here)
		return life->pid;
	pid = ockam_life_listener(life, &control);
	ockam_control_close(control);
	return pid;
}

/*
 * The descriptor first, then proof that the number was the node's all the time: it
 * lives, and the process has the start time that it wrote down. Where numbers
 * are other ones, the connection that it still holds proves the same.
 */
int ockam_life_open(const struct ockam_home *home, const char *name)
{
	struct ockam_control *control = NULL;
	struct ockam_life life, again;
	bool same = false;
	pid_t pid;
	int fd;

	ockam_life_look(home, name, &life);
	if (life.state != OCKAM_PROCESS_RUNNING)
		return -ESRCH;
	pid = life.here ? life.pid : ockam_life_listener(&life, &control);
	fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	if (fd >= 0) {
		ockam_life_look(home, name, &again);
		same = again.state == OCKAM_PROCESS_RUNNING && again.pid == life.pid &&
		       again.start == life.start;
		if (same && life.here)
			same = ockam_process_state(pid, life.start) == OCKAM_PROCESS_RUNNING;
		else if (same)
			same = ockam_control_peer_lives(control);
	}
	ockam_control_close(control);
	if (same)
		return fd;
	if (fd >= 0)
		close(fd);
	return -ESRCH;
}
