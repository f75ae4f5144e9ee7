// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <string.h>

#include "control.h"
#include "life.h"

int ockam_control_find(const struct ockam_home *home, const char *node,
		       char path[OCKAM_CONTROL_PATH], struct ockam_err *err)
{
	struct ockam_life life;
	int ret;

	ret = ockam_name_check_node(node, err);
	if (!ret)
		ret = ockam_home_control_path(home, node, path, err);
	if (ret)
		return ret;
	/* It may have been started with another one. */
	ockam_life_look(home, node, &life);
	if (life.control[0])
		strcpy(path, life.control);
	return 0;
}

int ockam_control_open(const char *home, const char *node, struct ockam_control **control,
		       struct ockam_err *err)
{
	char path[OCKAM_CONTROL_PATH];
	struct ockam_home found;
	int ret;

	*control = NULL;
	ret = home ? ockam_home_set(&found, home, err) : ockam_home_find(&found, err);
	if (!ret)
		ret = ockam_control_find(&found, node, path, err);
	return ret ? ret : ockam_control_connect(path, control, err);
}

int ockam_control_ask(struct ockam_control *control, const char *op, const char *args,
		      int timeout_ms, char **result, struct ockam_err *err)
{
	struct json_object *request = NULL, *answer = NULL;
	int ret;

	if (result)
		*result = NULL;
	if (args) {
		ret = ockam_value_decode((const uint8_t *)args, strlen(args), &request, err);
		if (ret)
			return ret == -ENOMEM ? ret
					      : ockam_err_set(err, -EINVAL,
							      "The arguments are not one JSON object");
	}
	ret = ockam_control_call(control, op, request, timeout_ms, &answer, err);
	json_object_put(request);
	if (!ret && result) {
		*result = strdup(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN |
								JSON_C_TO_STRING_NOSLASHESCAPE));
		if (!*result)
			ret = ockam_err_set(err, -ENOMEM, "Out of memory");
	}
	json_object_put(answer);
	return ret;
}
