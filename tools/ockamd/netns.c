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
					     "A network namespace is refused to this process although it may make one: by a seccomp filter or a security module, as SELinux or AppArmor. With systemd see RestrictNamespaces=");
		if (errno == ENOSPC)
			return ockam_err_set(err, -ENOSPC,
					     "No more network namespaces are allowed: raise /proc/sys/user/max_net_namespaces");
		return ockam_err_set(err, -errno, "Cannot make a network namespace: %s",
				     strerror(errno));
	}
	return ockamd_netns_loopback_up(err);
}

int ockamd_netns_enter(int netns, struct ockam_err *err)
{
	if (!setns(netns, CLONE_NEWNET))
		return 0;
	if (errno == EPERM)
		return ockam_err_set(err, -EPERM,
				     "The network namespace may not be entered: root with CAP_SYS_ADMIN over its user namespace is needed");
	return ockam_err_set(err, -errno, "Cannot enter the network namespace: %s",
			     strerror(errno));
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

/*
 * Will a mount made here be seen by others? In a mount namespace of its own it is
 * not, while the file that it hides is: an empty one, that "ip netns" trips over.
 * "ip netns exec", "unshare", containers and services with private mounts are such.
 * The first process of the machine has the namespace that everybody else knows.
 */
static bool ockamd_netns_is_seen(void)
{
	const ino_t machine = 0xEFFFFFFC;	/* of its PID namespace, in every kernel */
	struct stat pid_ns, own, first;

	return !stat("/proc/self/ns/pid", &pid_ns) && pid_ns.st_ino == machine &&
	       !stat("/proc/self/ns/mnt", &own) && !stat("/proc/1/ns/mnt", &first) &&
	       own.st_ino == first.st_ino && own.st_dev == first.st_dev;
}

/* The file is there; written down before the mount, so that a sweep knows both. */
static int ockamd_netns_mount(int life, const char *path, int file, struct ockam_pin *pin)
{
	struct stat own, netns;
	int ret;

	if (fstat(file, &own) || stat("/proc/thread-self/ns/net", &netns))
		return -errno;
	pin->file = own.st_ino;
	pin->netns = netns.st_ino;
	ret = ockam_life_pin(life, pin);
	if (!ret && mount("/proc/thread-self/ns/net", path, "none", MS_BIND, NULL))
		ret = -errno;
	return ret;
}

int ockamd_netns_pin(int life, const char *name, struct ockam_pin *pin, struct ockam_err *err)
{
	char path[PATH_MAX];
	int fd, ret;

	memset(pin, 0, sizeof(*pin));
	snprintf(path, sizeof(path), "%s/%s", OCKAM_NETNS_DIR, name);
	if (!ockamd_netns_is_seen())
		return ockam_err_set(err, -EOPNOTSUPP,
				     "The node's network namespace is not pinned at %s: others would not see a mount of this mount namespace. 'nsenter --net=/proc/PID/ns/net' with the node's process enters it",
				     path);
	ret = ockamd_netns_share_dir(err);
	if (ret)
		return ret;
	fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (fd < 0 && errno == EEXIST)
		return ockam_err_set(err, -EEXIST,
				     "%s is there already, and no node of this home has made it: remove it with 'ip netns delete %s', or give the node another name",
				     path, name);
	if (fd < 0)
		return ockam_err_set(err, -errno, "Cannot make %s: %s", path, strerror(errno));
	snprintf(pin->name, sizeof(pin->name), "%s", name);
	ret = ockamd_netns_mount(life, path, fd, pin);
	close(fd);
	if (ret) {
		unlink(path);
		memset(pin, 0, sizeof(*pin));
		return ockam_err_set(err, ret, "Cannot pin the network namespace at %s: %s", path,
				     strerror(-ret));
	}
	return 0;
}
