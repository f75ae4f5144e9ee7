// SPDX-License-Identifier: Apache-2.0
/*
 * Log files of nodes: a full one is put aside, a new day has its own, there are
 * not too many of them, and files of others are let alone.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdlib.h>
#include <time.h>

#include "../../tools/ockamd/logfile.c"
#include "tap.h"

#define HALF	(512 * 1024)	/* of the size that the test allows */

static char top[] = "/tmp/ockam-log-XXXXXX";

static void start(const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", top, name);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (ockamd_logfile.ours) {
		close(ockamd_logfile.dir);
		close(ockamd_logfile.fd);
	}
	ockamd_logfile.ours = false;
	ockamd_logfile_start(fd);
	if (!ockamd_logfile.ours)
		close(fd);
}

/* As a line of @len bytes would be written. */
static bool line(size_t len)
{
	char *bytes = calloc(1, len);
	bool admitted = ockamd_logfile_admit(len);

	if (admitted && write(ockamd_logfile.fd, bytes, len) != (ssize_t)len)
		admitted = false;
	free(bytes);
	return admitted;
}

/* Size of a file, -1: there is none. */
static long size_of(const char *name)
{
	struct stat st;
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	return stat(path, &st) ? -1 : (long)st.st_size;
}

static unsigned int count(void)
{
	DIR *d = opendir(top);
	struct dirent *entry;
	unsigned int n = 0;

	while ((entry = readdir(d)))
		n += ockamd_logfile_is_log(entry->d_name);
	closedir(d);
	return n;
}

static void test_full(void)
{
	char today[OCKAMD_LOGFILE_NAME], old[OCKAMD_LOGFILE_NAME + 8];
	unsigned int i, lines = 0;

	ockam_home_log_name(today);
	snprintf(old, sizeof(old), "%s.1", today);
	start(today);
	ok(ockamd_logfile.ours, "a file of a node");
	ok(line(HALF) && line(HALF) && size_of(today) == 2 * HALF && size_of(old) < 0,
	   "takes as much as is allowed");
	ok(line(10) && size_of(today) == 10 && size_of(old) == 2 * HALF, "then it is put aside");
	for (i = 0; i < 20; i++)
		lines += line(HALF);
	ok(lines == 20 && count() == 2 && size_of(today) <= 2 * HALF && size_of(old) <= 2 * HALF,
	   "lines without end fill two files");
	start(today);
	ok(line(2 * HALF - 1) && size_of(today) == 2 * HALF - 1, "what is there already counts");
}

static void test_days(void)
{
	char today[OCKAMD_LOGFILE_NAME], name[OCKAMD_LOGFILE_NAME];
	int i;

	ockam_home_log_name(today);
	for (i = 10; i < 20; i++) {
		snprintf(name, sizeof(name), "stdout.2001-01-%d.log", i);
		start(name);
	}
	ok(line(5) && size_of(name) == 0, "a line of a new day goes to its own file");
	ok(!strcmp(ockamd_logfile.name, today), "which is that of today");
	ok(count() == 4 && size_of("stdout.2001-01-18.log") == 0 &&
	   size_of("stdout.2001-01-17.log") < 0, "the oldest files are gone");
}

static void test_failure(void)
{
	char path[128], today[OCKAMD_LOGFILE_NAME];
	int i;

	ockam_home_log_name(today);
	start("stdout.2001-01-19.log");
	/* Its directory is deleted: nothing new can be made there. */
	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "exec rm -rf '%s'", top);
		if (system(path))
			printf("# %s failed\n", path);
	}
	ok(line(HALF) && line(HALF), "without a new file the old one will do on a new day");
	ok(!line(1), "but not beyond its size");
}

/* The day does not end while this runs: it is noon here. */
static void go_where_it_is_noon(void)
{
	time_t now = time(NULL);
	char zone[16];
	struct tm tm;

	gmtime_r(&now, &tm);
	snprintf(zone, sizeof(zone), "NOON%d", tm.tm_hour - 12);
	setenv("TZ", zone, 1);
	tzset();
}

int main(void)
{
	char path[128];

	if (!mkdtemp(top))
		return 1;
	go_where_it_is_noon();
	setenv("OCKAM_LOG_MAX_SIZE_MB", "1", 1);
	setenv("OCKAM_LOG_MAX_FILES", "4", 1);
	ok(ockamd_logfile_number("OCKAM_LOG_MAX_FILES", 7, 100) == 4, "a number");
	ok(ockamd_logfile_number("OCKAM_LOG_MAX_FILES", 7, 3) == 3, "is not above the maximum");
	setenv("OCKAM_TEST_NUMBER", "-1", 1);
	ok(ockamd_logfile_number("OCKAM_TEST_NUMBER", 7, 100) == 7, "what is none does not count");
	setenv("OCKAM_TEST_NUMBER", "0", 1);
	ok(ockamd_logfile_number("OCKAM_TEST_NUMBER", 7, 100) == 7, "nor does zero");
	start("mine.log");
	ok(!ockamd_logfile.ours && ockamd_logfile_admit(100 << 20), "a file of somebody else");
	ockamd_logfile_start(STDIN_FILENO);
	ok(!ockamd_logfile.ours, "what is no such file");
	test_full();
	test_days();
	ok(size_of("mine.log") == 0, "the file of somebody else is still there");
	test_failure();
	snprintf(path, sizeof(path), "exec rm -rf '%s'", top);
	return system(path) ? 1 : tap_done();
}
