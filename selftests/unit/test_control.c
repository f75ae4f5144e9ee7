// SPDX-License-Identifier: Apache-2.0
/*
 * The control protocol: values, requests, answers, client and server over a
 * real socket, and what strangers may send.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control.h"
#include "tap.h"

static int test_control_decode(const char *text, struct json_object **value,
			       struct ockam_err *err)
{
	/* An exact allocation, so that reading behind the end is seen. */
	size_t len = strlen(text);
	uint8_t *bytes = malloc(len ? len : 1);
	int ret;

	memcpy(bytes, text, len);
	ret = ockam_value_decode(bytes, len, value, err);
	free(bytes);
	return ret;
}

static void test_control_round_trips(void)
{
	static const char * const texts[] = {
		"null", "true", "false", "0", "23", "-1", "9007199254740993",
		"9223372036854775807", "-9223372036854775808",
		"\"\"", "\"h\u00e9llo\"", "\"a/b\\n\\\"\"", "[]", "{}", "[1,[2,[3,[]]],null,true]",
		"{\"a\":{\"b\":[{\"c\":-7}]},\"d\":\"e\"}",
	};
	struct json_object *value, *back;
	struct ockam_buf out;
	struct ockam_err err;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		memset(&out, 0, sizeof(out));
		value = json_object_new_object();
		ockam_value_put(value, "x", json_tokener_parse(texts[i]));
		ok_ret(ockam_value_encode(value, &out, &err), 0, err, "%s is encoded", texts[i]);
		ok(!ockam_value_decode(out.data, out.len, &back, &err) &&
		   json_object_equal(value, back), "%s comes back", texts[i]);
		json_object_put(value);
		json_object_put(back);
		ockam_buf_free(&out);
	}
}

static void test_control_garbage(void)
{
	static const struct {
		const char	*text;
		int		ret;
		const char	*what;
	} cases[] = {
		{ "", -EBADMSG, "nothing" },
		{ " ", -EBADMSG, "a blank" },
		{ "\xff\xff", -EBADMSG, "bytes that are no text" },
		{ "1", -EBADMSG, "a number alone" },
		{ "null", -EBADMSG, "null" },
		{ "[]", -EBADMSG, "an array" },
		{ "{}{}", -EBADMSG, "two objects" },
		{ "{} x", -EBADMSG, "something behind the object" },
		{ "{\"a\":1", -EBADMSG, "an object that ends too early" },
		{ "{\"a\":\"\xc3\x28\"}", -EBADMSG, "a text that is not UTF-8" },
		{ "{\"a\":\"b\\u0000c\"}", -EBADMSG, "a text with a zero byte" },
		{ "{\"a\"}", -EBADMSG, "a member without a value" },
		{ "{1:1}", -EBADMSG, "a key that is no text" },
		{ "{\"a\":9223372036854775808}", -EBADMSG, "an integer above 63 bits" },
		{ "{\"a\":18446744073709551615}", -EBADMSG, "an integer of 64 bits" },
		{ "{\"a\":1.5}", -EBADMSG, "a floating point number" },
		{ "{\"a\":NaN}", -EBADMSG, "no number" },
		{ "{\"a\":01}", -EBADMSG, "a number with a leading zero" },
		{ "{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}", -E2BIG, "17 levels" },
	};
	struct json_object *value;
	struct ockam_err err;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		value = NULL;
		ok_ret(test_control_decode(cases[i].text, &value, &err), cases[i].ret, err,
		       "refused: %s", cases[i].what);
		ok(!value, "and nothing is left");
		json_object_put(value);
	}
	ok_ret(test_control_decode("{\"a\":[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}", &value, &err), 0, err,
	       "16 levels are taken");
	json_object_put(value);
}

static void test_control_bounds(void)
{
	char *text = malloc(2 * OCKAM_VALUE_ITEMS + 16);
	struct json_object *value = NULL;
	struct ockam_err err;
	char *p;
	int i;

	/* The object, the array, and one element too many. */
	p = stpcpy(text, "{\"a\":[0");
	for (i = 1; i < OCKAM_VALUE_ITEMS - 1; i++)
		p = stpcpy(p, ",0");
	strcpy(p, "]}");
	ok_ret(test_control_decode(text, &value, &err), -E2BIG, err,
	       "one item too many is refused");
	strcpy(p - 2, "]}");
	ok_ret(test_control_decode(text, &value, &err), 0, err, "one less is not");
	json_object_put(value);
	free(text);
}

/* Every truncation and every single-byte change of a real request: no crash, no leak. */
static void test_control_mutations(void)
{
	static const char text[] =
		"{\"v\":1,\"id\":7,\"op\":\"tcp-connection.create\","
		"\"args\":{\"to\":\"h:1\",\"e\":[true,null,-5]}}";
	struct json_object *value = json_tokener_parse(text);
	struct ockam_control_request request;
	struct ockam_buf out = { 0 };
	struct ockam_err err;
	unsigned int accepted = 0;
	uint8_t *copy;
	size_t i;
	int b;

	ockam_value_encode(value, &out, &err);
	json_object_put(value);
	ok_ret(ockam_control_parse(out.data, out.len, &request, &err), 0, err, "a request parses");
	ok_text(request.op, "tcp-connection.create", "its operation");
	ok(request.id == 7 && ockam_value_text(request.args, "to"), "its id and arguments");
	ockam_control_request_free(&request);
	for (i = 0; i < out.len; i++) {
		copy = malloc(i ? i : 1);
		memcpy(copy, out.data, i);
		if (!ockam_control_parse(copy, i, &request, &err))
			accepted++;
		ockam_control_request_free(&request);
		free(copy);
	}
	ok(!accepted, "no beginning of a request is a request");
	for (i = 0; i < out.len; i++) {
		for (b = 0; b < 256; b++) {
			copy = malloc(out.len);
			memcpy(copy, out.data, out.len);
			copy[i] = (uint8_t)b;
			ockam_control_parse(copy, out.len, &request, &err);
			ockam_control_request_free(&request);
			free(copy);
		}
	}
	ok(true, "single changed bytes do no harm");
	ockam_buf_free(&out);
}

static void test_control_requests(void)
{
	static const struct {
		const char	*text;
		int		ret;
	} cases[] = {
		{ "{\"v\":2,\"id\":7,\"op\":\"x\"}", -EPROTONOSUPPORT },
		{ "{\"v\":1,\"op\":\"x\"}", -EBADMSG },
		{ "{\"v\":1,\"id\":-1,\"op\":\"x\"}", -EBADMSG },
		{ "{\"id\":1,\"op\":\"x\"}", -EBADMSG },
		{ "{\"v\":1,\"id\":1}", -EBADMSG },
		{ "{\"v\":1,\"id\":1,\"op\":3}", -EBADMSG },
		{ "{\"v\":1,\"id\":1,\"op\":\"x\",\"args\":[]}", -EBADMSG },
		{ "[]", -EBADMSG },
		{ "null", -EBADMSG },
		{ "{\"v\":1,\"id\":1,\"op\":\"x\"}", 0 },
		{ "{\"v\":1,\"id\":1,\"op\":\"x\",\"args\":null,\"new\":1}", 0 },
	};
	struct ockam_control_request request;
	struct json_object *value;
	struct ockam_buf out;
	struct ockam_err err;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&out, 0, sizeof(out));
		value = json_tokener_parse(cases[i].text);
		ockam_value_encode(value, &out, &err);
		ok_ret(ockam_control_parse(out.data, out.len, &request, &err), cases[i].ret, err,
		       "%s", cases[i].text);
		ockam_control_request_free(&request);
		json_object_put(value);
		ockam_buf_free(&out);
	}
}

/* A server for one client: answers, refuses, then goes away. */
static void test_control_serve(int listener)
{
	static uint8_t packet[OCKAM_CONTROL_MAX];
	struct ockam_control_request request;
	struct ockam_buf out;
	int room = 2 * OCKAM_CONTROL_MAX;
	struct ockam_err err;
	ssize_t len;
	int fd;

	/* The first one only looked whether somebody listens. */
	close(accept(listener, NULL, NULL));
	do {
		fd = accept(listener, NULL, NULL);
		if (fd < 0)
			usleep(1000);
	} while (fd < 0);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	while ((len = recv(fd, packet, sizeof(packet), 0)) > 0) {
		memset(&out, 0, sizeof(out));
		if (ockam_control_parse(packet, (size_t)len, &request, &err))
			_exit(1);
		if (!strcmp(request.op, "die"))
			_exit(0);
		if (!strcmp(request.op, "sleep"))
			usleep(300000);
		if (!strcmp(request.op, "refuse"))
			ockam_control_refuse(request.id, OCKAM_CONTROL_NOT_FOUND, "No such thing",
					     "a cause", "a way out", &out);
		else
			ockam_control_reply(request.id, request.args, &out);
		send(fd, out.data, out.len, MSG_NOSIGNAL);
		ockam_buf_free(&out);
		ockam_control_request_free(&request);
	}
	_exit(0);
}

static void test_control_calls(struct ockam_control *c)
{
	struct json_object *args = json_tokener_parse("{\"a\":[1,2],\"b\":\"c\"}");
	struct json_object *result;
	struct ockam_err err;
	struct json_object *big;
	char *text;

	ok_ret(ockam_control_call(c, "echo", args, 5000, &result, &err), 0, err, "a call");
	ok(json_object_equal(args, result), "its result");
	json_object_put(result);
	ok_ret(ockam_control_call(c, "refuse", NULL, 5000, &result, &err), -ENOENT, err, "a refusal");
	ok_text(err.text, "No such thing", "its sentence");
	text = (char *)ockam_value_text(result, "help");
	ok(text && !strcmp(text, "a way out"), "its help");
	json_object_put(result);
	ok_ret(ockam_control_call(c, "sleep", args, 50, NULL, &err), -ETIMEDOUT, err, "a slow node");
	ok_ret(ockam_control_call(c, "echo", NULL, 5000, NULL, &err), 0, err,
	       "the late answer is not taken for another one's");

	text = malloc(OCKAM_CONTROL_MAX);
	memset(text, 'x', OCKAM_CONTROL_MAX - 1);
	text[OCKAM_CONTROL_MAX - 1] = '\0';
	big = json_object_new_object();
	ockam_value_put_text(big, "t", text);
	ok_ret(ockam_control_call(c, "echo", big, 5000, NULL, &err), -EMSGSIZE, err,
	       "a request above the limit");
	json_object_put(big);
	if (!geteuid()) {
		text[OCKAM_CONTROL_MAX - 200] = '\0';
		big = json_object_new_object();
		ockam_value_put_text(big, "t", text);
		ok_ret(ockam_control_call(c, "sleep", big, 5000, NULL, &err), 0, err,
		       "a request just below the limit");
		json_object_put(big);
	}
	free(text);
	ok_ret(ockam_control_call(c, "die", NULL, 5000, NULL, &err), -ECONNRESET, err,
	       "the node process goes away");
	json_object_put(args);
}

static void test_control_socket(void)
{
	char dir[] = "/tmp/ockam-control.XXXXXX";
	struct ockam_control *control;
	struct ockam_err err;
	struct stat st;
	char path[64];
	pid_t child;
	int fd, ret;

	ok(mkdtemp(dir), "a directory");
	snprintf(path, sizeof(path), "%s/sub/n1", dir);
	ok_ret(ockam_control_connect(path, &control, &err), -ENOENT, err, "nobody there");
	fd = ockam_control_listen(path, &err);
	ok(fd >= 0, "listen");
	ok(!stat(path, &st) && (st.st_mode & 0777) == 0600, "the socket is the owner's alone");
	ret = ockam_control_listen(path, &err);
	ok_ret(ret, -EADDRINUSE, err, "a second one does not take it over");
	child = fork();
	if (!child)
		test_control_serve(fd);
	ret = ockam_control_connect(path, &control, &err);
	ok_ret(ret, 0, err, "connect");
	if (!ret)
		test_control_calls(control);
	ockam_control_close(control);
	waitpid(child, NULL, 0);
	close(fd);
	ok_ret(ockam_control_connect(path, &control, &err), -ECONNREFUSED, err,
	       "a socket that was left behind");
	fd = ockam_control_listen(path, &err);
	ok(fd >= 0, "is replaced");
	close(fd);
	unlink(path);
	snprintf(path, sizeof(path), "%s/sub", dir);
	chmod(path, 0777);
	snprintf(path, sizeof(path), "%s/sub/n1", dir);
	ok_ret(ockam_control_listen(path, &err), -EPERM, err, "a directory others may write to");
	snprintf(path, sizeof(path), "%s/sub", dir);
	rmdir(path);
	rmdir(dir);
}

int main(void)
{
	test_control_round_trips();
	test_control_garbage();
	test_control_bounds();
	test_control_mutations();
	test_control_requests();
	test_control_socket();
	return tap_done();
}
