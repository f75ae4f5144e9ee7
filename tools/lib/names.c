// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "bare.h"
#include "crypto.h"
#include "names.h"

static const char *const ockam_name_first[] = {
	"able", "agile", "amber", "ample", "azure", "bold", "brave", "breezy",
	"brief", "bright", "brisk", "calm", "candid", "cheery", "clear", "clever",
	"cosy", "crisp", "dapper", "deep", "deft", "eager", "early", "easy",
	"fair", "fancy", "fast", "fine", "firm", "fond", "frank", "fresh",
	"gentle", "glad", "golden", "grand", "handy", "happy", "hardy", "honest",
	"humble", "jolly", "keen", "kind", "light", "lively", "loyal", "lucky",
	"mellow", "merry", "mild", "neat", "nimble", "noble", "plain", "polite",
	"proud", "quick", "quiet", "rapid", "ready", "silent", "smart", "steady",
};

static const char *const ockam_name_second[] = {
	"acorn", "alder", "apple", "aspen", "badger", "beaver", "birch", "bison",
	"brook", "canyon", "cedar", "cliff", "clover", "comet", "coral", "crane",
	"creek", "daisy", "delta", "dune", "eagle", "ember", "falcon", "fern",
	"finch", "forest", "fox", "glacier", "harbor", "hawk", "hazel", "heron",
	"hill", "island", "ivy", "jasper", "juniper", "lagoon", "lark", "laurel",
	"lemon", "lily", "lynx", "maple", "marble", "meadow", "moss", "oak",
	"olive", "orchid", "otter", "owl", "pebble", "pine", "plum", "raven",
	"reef", "river", "robin", "sparrow", "spruce", "tulip", "valley", "willow",
};

_Static_assert(sizeof(ockam_name_first) / sizeof(char *) == 64 &&
	       sizeof(ockam_name_second) / sizeof(char *) == 64,
	       "six random bits choose a word");

int ockam_name_random(char name[OCKAM_NAME_SIZE], struct ockam_err *err)
{
	uint8_t random[2];
	int ret = ockam_crypto_random(random, sizeof(random), err);

	if (!ret)
		snprintf(name, OCKAM_NAME_SIZE, "%s-%s", ockam_name_first[random[0] & 63],
			 ockam_name_second[random[1] & 63]);
	return ret;
}

int ockam_name_check_node(const char *name, struct ockam_err *err)
{
	size_t len = strlen(name);

	if (!len || len >= OCKAM_NAME_SIZE)
		return ockam_err_set(err, -EINVAL,
				     "a node's name must have 1 to %d characters, '%.40s' has %zu",
				     OCKAM_NAME_SIZE - 1, name, len);
	for (size_t i = 0; i < len; i++)
		if (!isascii((unsigned char)name[i]) || (!isalnum((unsigned char)name[i]) &&
							 name[i] != '_' && name[i] != '-'))
			return ockam_err_set(err, -EINVAL,
					     "'%.63s' is no name for a node: only letters, digits, '_' and '-' are allowed",
					     name);
	return 0;
}

int ockam_name_check(const char *kind, const char *name, struct ockam_err *err)
{
	struct ockam_piece text = { (const uint8_t *)name, strlen(name) };

	if (!text.len || text.len >= OCKAM_NAME_SIZE)
		return ockam_err_set(err, -EINVAL, "the name of the %s must have 1 to %d bytes",
				     kind, OCKAM_NAME_SIZE - 1);
	if (name[0] == '.' || strchr(name, '/') || !ockam_bare_is_text(&text))
		goto bad;
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			goto bad;
	return 0;
bad:
	return ockam_err_set(err, -EINVAL,
			     "'%s' is no name for the %s: no '/', no control character and no '.' at the front",
			     name, kind);
}
