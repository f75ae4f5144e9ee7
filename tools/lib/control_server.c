// SPDX-License-Identifier: Apache-2.0
/*
 * The control protocol: the side of the node process.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"

#define OCKAM_CONTROL_FRESH	".new"	/* no node's name holds a '.' */

/* Make every missing directory in front of the last '/'; the last one is private. */
static int ockam_control_make_dir(const char *path, struct ockam_err *err)
{
	char dir[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct stat st;
	char *slash;

	strcpy(dir, path);
	for (slash = strchr(dir + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(dir, strchr(slash + 1, '/') ? 0755 : 0700) && errno != EEXIST)
			return ockam_err_set(err, -errno, "Cannot make the directory %s: %s", dir,
					     strerror(errno));
		if (!strchr(path + (slash - dir) + 1, '/')) {
			if (lstat(dir, &st))
				return ockam_err_set(err, -errno, "The directory %s: %s", dir,
						     strerror(errno));
			if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022))
				return ockam_err_set(err, -EPERM,
						     "The directory %s must belong to user %u who runs the node and be writable by nobody else: it belongs to user %u and has mode %04o",
						     dir, geteuid(), st.st_uid,
						     st.st_mode & 07777);
		}
		*slash = '/';
	}
	return 0;
}

/* Only a socket is ever replaced: what else has that name is somebody's file. */
static bool ockam_control_is_foreign(const char *path)
{
	struct stat st;

	return !lstat(path, &st) && !S_ISSOCK(st.st_mode);
}

/* Does a process listen at @addr? A socket file nobody listens on is a left-over. */
static bool ockam_control_in_use(const struct sockaddr_un *addr)
{
	bool used;
	int fd;

	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return true;
	used = !connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) ||
	       (errno != ECONNREFUSED && errno != ENOENT);
	close(fd);
	return used;
}

int ockam_control_listen(const char *path, struct ockam_err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct sockaddr_un fresh = { .sun_family = AF_UNIX };
	int fd, ret;

	if (strlen(path) + strlen(OCKAM_CONTROL_FRESH) >= sizeof(addr.sun_path) || path[0] != '/')
		return ockam_err_set(err, -ENAMETOOLONG,
				     "The path %s of the control socket is too long or not absolute",
				     path);
	strcpy(addr.sun_path, path);
	strcpy(fresh.sun_path, path);
	strcat(fresh.sun_path, OCKAM_CONTROL_FRESH);
	ret = ockam_control_make_dir(path, err);
	if (ret)
		return ret;
	if (ockam_control_is_foreign(path) || ockam_control_is_foreign(fresh.sun_path))
		return ockam_err_set(err, -EEXIST,
				     "%s, or the same with %s, is there already and is no socket: remove it, or name another path",
				     path, OCKAM_CONTROL_FRESH);
	if (ockam_control_in_use(&addr))
		return ockam_err_set(err, -EADDRINUSE, "Another process listens on %s", path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return ockam_err_set(err, -errno, "Cannot make a socket: %s", strerror(errno));
	/* Renamed when it listens: a socket under its final name that refuses is dead. */
	unlink(fresh.sun_path);
	if (bind(fd, (struct sockaddr *)&fresh, sizeof(fresh)) || chmod(fresh.sun_path, 0600) ||
	    listen(fd, 64) || rename(fresh.sun_path, path)) {
		ret = ockam_err_set(err, -errno, "Cannot listen on %s: %s", path, strerror(errno));
		unlink(fresh.sun_path);
		close(fd);
		return ret;
	}
	return fd;
}

bool ockam_control_user_allowed(uid_t user)
{
	return user == 0 || user == geteuid();
}

int ockam_control_peer(int fd, uid_t *user)
{
	socklen_t len = sizeof(struct ucred);
	struct ucred peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return -EACCES;
	*user = peer.uid;
	return ockam_control_user_allowed(peer.uid) ? 0 : -EACCES;
}

int ockam_control_parse(const uint8_t *bytes, size_t len, struct ockam_control_request *request,
			struct ockam_err *err)
{
	struct json_object *map = NULL;
	struct json_object *args;
	const char *op;
	int64_t version;
	int ret;

	memset(request, 0, sizeof(*request));
	ret = ockam_value_decode(bytes, len, &map, err);
	if (ret)
		return ret == -E2BIG ? -EBADMSG : ret;
	request->id = ockam_value_int(map, "id", -1);
	version = ockam_value_int(map, "v", -1);
	op = ockam_value_text(map, "op");
	args = ockam_value_get(map, "args");
	if (request->id < 0 || version < 0) {
		ret = ockam_err_set(err, -EBADMSG, "The request has no id or no version");
	} else if (version != OCKAM_CONTROL_VERSION) {
		ret = ockam_err_set(err, -EPROTONOSUPPORT,
				    "Version %lld of the control protocol is not supported, this node process speaks version %d",
				    (long long)version, OCKAM_CONTROL_VERSION);
	} else if (!op || strlen(op) >= sizeof(request->op) ||
		   (args && !json_object_is_type(args, json_type_object))) {
		ret = ockam_err_set(err, -EBADMSG, "The request has no operation or no arguments");
	} else {
		strcpy(request->op, op);
		request->args = args ? json_object_get(args) : json_object_new_object();
		if (!request->args)
			ret = ockam_err_set(err, -ENOMEM, "Out of memory");
	}
	json_object_put(map);
	return ret;
}

void ockam_control_request_free(struct ockam_control_request *request)
{
	json_object_put(request->args);
	request->args = NULL;
}

/* {"id":@id, "ok":@ok, @key:@body}, which is taken over; NULL is an empty one. */
static int ockam_control_answer(int64_t id, bool ok, const char *key, struct json_object *body,
				struct ockam_buf *out)
{
	struct json_object *answer = json_object_new_object();
	int ret = -ENOMEM;

	if (!body)
		body = json_object_new_object();
	if (answer && body && !ockam_value_put(answer, key, json_object_get(body)) &&
	    !ockam_value_put_int(answer, "id", id) && !ockam_value_put_bool(answer, "ok", ok))
		ret = ockam_value_encode(answer, out, NULL);
	json_object_put(body);
	json_object_put(answer);
	return ret;
}

int ockam_control_reply(int64_t id, struct json_object *result, struct ockam_buf *out)
{
	size_t before = out->len;
	int ret;

	ret = ockam_control_answer(id, true, "result", json_object_get(result), out);
	return !ret && out->len - before > OCKAM_CONTROL_MAX ? -EMSGSIZE : ret;
}

int ockam_control_refuse(int64_t id, enum ockam_control_code code, const char *text,
			 const char *route, const char *help, struct ockam_buf *out)
{
	struct json_object *error = json_object_new_object();

	if (!error)
		return -ENOMEM;
	if (ockam_value_put_text(error, "code", ockam_control_code_name(code)) ||
	    ockam_value_put_text(error, "text", text) ||
	    (route && ockam_value_put_text(error, "route", route)) ||
	    (help && ockam_value_put_text(error, "help", help))) {
		json_object_put(error);
		return -ENOMEM;
	}
	return ockam_control_answer(id, false, "error", error, out);
}
