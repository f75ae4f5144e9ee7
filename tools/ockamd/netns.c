// SPDX-License-Identifier: Apache-2.0
/*
 * The network namespace of a node: made, brought up, pinned.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netns.h"
#include "sweep.h"

static int ockamd_netns_loopback_up(struct ockam_err *err)
{
	struct ifreq request = { .ifr_name = "lo" };
	int ret = 0;
	int fd;

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ockam_err_set(err, -errno, "Cannot make a socket: %s", strerror(errno));
	request.ifr_flags = IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &request))
		ret = ockam_err_set(err, -errno, "Cannot bring up the loopback interface: %s",
				    strerror(errno));
	close(fd);
	return ret;
}

int ockamd_netns_enter_new(struct ockam_err *err)
{
	if (unshare(CLONE_NEWNET)) {
		if (errno == EPERM)
			return ockam_err_set(err, -EPERM,
					     "A node needs a network namespace of its own: run this command as root");
		return ockam_err_set(err, -errno, "Cannot make a network namespace: %s",
				     strerror(errno));
	}
	return ockamd_netns_loopback_up(err);
}

/*
 * Mounts made under the directory must reach other mount namespaces and leave
 * them again, so it is a shared mount, as "ip netns add" makes it.
 */
static int ockamd_netns_share_dir(struct ockam_err *err)
{
	if (mkdir(OCKAM_NETNS_DIR, 0755) && errno != EEXIST)
		goto fail;
	if (!mount("", OCKAM_NETNS_DIR, "none", MS_SHARED | MS_REC, NULL))
		return 0;
	if (errno != EINVAL)
		goto fail;
	if (mount(OCKAM_NETNS_DIR, OCKAM_NETNS_DIR, "none", MS_BIND | MS_REC, NULL) ||
	    mount("", OCKAM_NETNS_DIR, "none", MS_SHARED | MS_REC, NULL))
		goto fail;
	return 0;
fail:
	return ockam_err_set(err, -errno, "Cannot prepare %s: %s", OCKAM_NETNS_DIR,
			     strerror(errno));
}

int ockamd_netns_pin(const char *name, struct ockam_err *err)
{
	char path[PATH_MAX];
	int fd, ret;

	ret = ockamd_netns_share_dir(err);
	if (ret)
		return ret;
	ockam_sweep_unpin(name);
	snprintf(path, sizeof(path), "%s/%s", OCKAM_NETNS_DIR, name);
	fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (fd < 0)
		return ockam_err_set(err, -errno, "Cannot make %s: %s", path, strerror(errno));
	close(fd);
	if (mount("/proc/thread-self/ns/net", path, "none", MS_BIND, NULL)) {
		ret = ockam_err_set(err, -errno, "Cannot pin the network namespace at %s: %s", path,
				    strerror(errno));
		unlink(path);
		return ret;
	}
	return 0;
}
