// SPDX-License-Identifier: Apache-2.0
/*
 * Which nodes live: by the lock, whatever is written beside it; and what of a dead
 * one is believed.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control.h"
#include "homes.h"
#include "life.h"
#include "sweep.h"

static const struct ockam_pin pin = { .name = "ockam-test", .file = 11, .netns = 22 };

static void new_home(const char *name)
{
	ockam_store_close(opened(name));
}

static void life_file(const char *name, char path[PATH_MAX])
{
	char file[64];

	snprintf(file, sizeof(file), "nodes/.%s.lock", name);
	ockam_home_file(&home, file, path, NULL);
}

static enum ockam_process_state state_of(const char *name)
{
	struct ockam_life life;

	ockam_life_look(&home, name, &life);
	return life.state;
}

/* A process that is the node @name until it is killed. */
static pid_t node_process(const char *name)
{
	int up[2];
	pid_t pid;
	char c;

	if (pipe(up))
		exit(1);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		int fd = ockam_life_take(&home, name, "/run/ockam/x/none", &err);

		if (fd < 0 || ockam_life_pin(fd, &pin) || write(up[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(up[1]);
	if (read(up[0], &c, 1) != 1)
		ok(false, "no process for %s", name);
	close(up[0]);
	return pid;
}

static void test_life(void)
{
	struct ockam_life life;
	struct pollfd pfd = { .events = POLLIN };
	char path[PATH_MAX];
	pid_t pid;
	int fd;

	new_home("life");
	ok(state_of("n1") == OCKAM_PROCESS_GONE, "no node");
	ok(ockam_life_bury(&home, "n1", &life) == -ENOENT, "nothing is left of it");
	ok(ockam_life_open(&home, "n1") == -ESRCH, "there is no process");
	pid = node_process("n1");
	ockam_life_look(&home, "n1", &life);
	ok(life.state == OCKAM_PROCESS_RUNNING && life.pid == pid && life.here, "a node runs");
	ok(ockam_life_pid(&life) == pid, "as that process");
	ok_text(life.control, "/run/ockam/x/none", "its control socket");
	ok(!strcmp(life.pin.name, "ockam-test") && life.pin.file == 11 && life.pin.netns == 22,
	   "its pin");
	ok_ret(ockam_life_take(&home, "n1", "", &err), -EEXIST, err, "no second one");
	ok_text(err.text, "Node n1 is already running", "the sentence of the reference");
	ok(ockam_life_bury(&home, "n1", &life) == -EBUSY, "it is not buried alive");
	ok(!ockam_sweep_node(&home, "n1") && state_of("n1") == OCKAM_PROCESS_RUNNING,
	   "nor swept");
	pfd.fd = ockam_life_open(&home, "n1");
	ok(pfd.fd >= 0, "its process can be had");
	kill(pid, SIGKILL);
	ok(poll(&pfd, 1, 10000) == 1, "and is the one that was killed");
	close(pfd.fd);
	ok(state_of("n1") == OCKAM_PROCESS_ZOMBIE, "not reaped yet");
	ok(!ockam_sweep_node(&home, "n1"), "it is left to its parent");
	waitpid(pid, NULL, 0);
	ok(state_of("n1") == OCKAM_PROCESS_GONE, "reaped");
	fd = ockam_life_bury(&home, "n1", &life);
	ok(fd >= 0 && life.pin.netns == 22, "what it has left is known");
	life_file("n1", path);
	ockam_life_end(&home, "n1", fd);
	ok(access(path, F_OK), "and nothing is");
	fd = ockam_life_take(&home, "n1", "", &err);
	ok(fd >= 0, "the name is free again");
	ok(state_of("n1") == OCKAM_PROCESS_RUNNING, "looking at its own lock");
	ok(state_of("n1") == OCKAM_PROCESS_RUNNING, "does not give it up");
	ockam_life_end(&home, "n1", fd);
	ok(ockam_life_take(&home, "../x", "", &err) == -EINVAL, "no lock for a bad name");
}

/* Put @text where the lock of @name is. */
static void write_life(const char *name, const char *text)
{
	char path[PATH_MAX];
	int fd;

	life_file(name, path);
	unlink(path);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	ok(write(fd, text, strlen(text)) == (ssize_t)strlen(text), "lock of %s written", name);
	close(fd);
}

static void read_life(const char *name, char *text, size_t size)
{
	char path[PATH_MAX];
	ssize_t len;
	int fd;

	life_file(name, path);
	fd = open(path, O_RDONLY);
	len = read(fd, text, size - 1);
	text[len < 0 ? 0 : len] = '\0';
	close(fd);
}

/* A number that was a node's and is a stranger's, a copy, another boot, garbage. */
static void test_believed(void)
{
	static const char *const garbage[] = { "", "boot", "boot x\nfile 1:2\n", "\377\n\n\n" };
	char text[1024], path[PATH_MAX];
	struct ockam_life life;
	pid_t pid;
	int fd;

	new_home("believed");
	pid = node_process("n1");
	read_life("n1", text, sizeof(text));
	write_life("copy", text);
	ockam_life_look(&home, "copy", &life);
	ok(life.state == OCKAM_PROCESS_GONE && !life.pid && !life.pin.name[0] && !life.control[0],
	   "a copy of a lock says nothing: its process is another's");
	ok(ockam_life_open(&home, "copy") == -ESRCH, "and gets no signal");
	ok(ockam_sweep_node(&home, "copy"), "it is swept");
	ok(!kill(pid, 0) && state_of("n1") == OCKAM_PROCESS_RUNNING, "the node of it goes on");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);

	/* In place, so that the file is the same one. */
	life_file("n1", path);
	fd = open(path, O_RDWR);
	text[5] = text[5] == 'f' ? 'e' : 'f';
	ok(pwrite(fd, text, strlen(text), 0) > 0, "written in another boot");
	close(fd);
	ockam_life_look(&home, "n1", &life);
	ok(life.state == OCKAM_PROCESS_GONE && !life.pid && !life.pin.name[0], "it says nothing");
	ok(ockam_sweep_node(&home, "n1"), "it is swept");
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		write_life("n2", garbage[i]);
		ockam_life_look(&home, "n2", &life);
		ok(life.state == OCKAM_PROCESS_GONE && !life.pid && !life.pin.name[0], "garbage");
	}
	fd = ockam_life_take(&home, "n2", "", &err);
	ok(fd >= 0, "and is nobody's");
	ockam_life_end(&home, "n2", fd);
}

static void test_names(void)
{
	struct ockam_life_name *names;
	int fd;

	new_home("names");
	ok(!ockam_life_names(&home, &names) && !names, "no names");
	fd = ockam_life_take(&home, "n1", "", &err);
	write_life("n2", "");
	write_life("n.3", "");
	write_life("", "");
	ok(ockam_life_names(&home, &names) == 2, "two, and what else lies there is none");
	free(names);
	ok(ockam_sweep(&home, &err) == 1, "one is swept");
	ok(ockam_life_names(&home, &names) == 1 && !strcmp(names[0].text, "n1"), "one runs");
	free(names);
	ockam_life_end(&home, "n1", fd);
}

#define MANY	8
#define ROUNDS	200

/* Processes take a name, die, and clean up behind each other: it is never had twice. */
static void test_race(void)
{
	unsigned int taken = 0, twice = 0;
	int owner[2];
	char path[PATH_MAX];
	pid_t pids[MANY];
	int status;

	new_home("race");
	ockam_home_file(&home, "owner", path, NULL);
	if (pipe(owner))
		exit(1);
	fflush(stdout);
	for (int i = 0; i < MANY; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		for (int n = 0; n < ROUNDS; n++) {
			int fd = ockam_life_take(&home, "n1", "", &err), mine;

			if (fd < 0) {
				ockam_sweep_node(&home, "n1");
				continue;
			}
			mine = open(path, O_CREAT | O_EXCL, 0600);
			if (write(owner[1], mine < 0 ? "2" : "1", 1) != 1)
				_exit(1);
			close(mine);
			unlink(path);
			/* As after a crash, every other time. */
			if (n % 2)
				close(fd);
			else
				ockam_life_end(&home, "n1", fd);
		}
		_exit(0);
	}
	close(owner[1]);
	for (char c; read(owner[0], &c, 1) == 1;) {
		taken++;
		twice += c == '2';
	}
	for (int i = 0; i < MANY; i++)
		waitpid(pids[i], &status, 0);
	ok(taken >= MANY && !twice, "a name taken %u times was had twice %u times", taken, twice);
}

/* A program finds a node by its name, wherever its control socket is. */
static void test_found(void)
{
	struct ockam_control *control;
	char path[64];
	int fd, life;

	new_home("found");
	snprintf(path, sizeof(path), "%s/control", top);
	life = ockam_life_take(&home, "n1", path, &err);
	ok(life >= 0, "a node with a control socket of its own");
	fd = ockam_control_listen(path, &err);
	ok_ret(fd < 0 ? fd : 0, 0, err, "it listens");
	ok_ret(ockam_control_open(home.path, "n1", &control, &err), 0, err, "it is found");
	ockam_control_close(control);
	ok_ret(ockam_control_open(home.path, "n2", &control, &err), -ENOENT, err, "no other one is");
	ok_ret(ockam_control_open(home.path, "../n1", &control, &err), -EINVAL, err,
	       "a name that is a path");
	close(fd);
	ockam_life_end(&home, "n1", life);
	unlink(path);
}

int main(void)
{
	if (!mkdtemp(top))
		return 1;
	test_found();
	test_life();
	test_believed();
	test_names();
	test_race();
	ockam_home_remove(AT_FDCWD, top);
	return tap_done();
}
