// SPDX-License-Identifier: Apache-2.0
/*
 * Reading, checking and showing credentials.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "credential_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unictype.h>
#include <unistr.h>

#include "hex.h"
#include "value.h"

/* Hex digits of the longest credential, and blanks around them. */
#define CTL_CREDENTIAL_TEXT	(2 * OCKAM_CREDENTIAL_MAX + 1024)

void ctl_credential_free(struct ctl_credential *credential)
{
	ockam_buf_free(&credential->bytes);
	memset(credential, 0, sizeof(*credential));
}

int ctl_credential_decode(struct ctl_credential *credential, const uint8_t *bytes, size_t len,
			  struct ockam_err *err)
{
	struct ockam_reader r;
	int ret;

	memset(credential, 0, sizeof(*credential));
	ockam_buf_put(&credential->bytes, bytes, len);
	if (credential->bytes.failed)
		return ockam_err_set(err, -ENOMEM, "out of memory");
	ockam_reader_init(&r, credential->bytes.data, len);
	ret = ockam_credential_decode(&r, &credential->fields, err);
	if (!ret && r.pos != r.end)
		ret = ockam_err_set(err, -EBADMSG, "something follows the credential");
	if (ret)
		ctl_credential_free(credential);
	return ret;
}

static int ctl_credential_from_text(struct ctl_credential *credential, const char *text,
				    size_t len, struct ockam_err *err)
{
	uint8_t bytes[OCKAM_CREDENTIAL_MAX];
	size_t n;
	int ret;

	for (; len && isspace((unsigned char)*text); len--)
		text++;
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	if (!len)
		return ockam_err_set(err, -EBADMSG, "this is no credential: it is empty");
	ret = ockam_hex_decode(text, len, bytes, sizeof(bytes), &n, err);
	if (ret == -EMSGSIZE)
		return ockam_err_set(err, -E2BIG, "a credential has at most %u bytes",
				     OCKAM_CREDENTIAL_MAX);
	if (ret) {
		ockam_err_prefix(err, "this is no credential");
		return -EBADMSG;
	}
	return ctl_credential_decode(credential, bytes, n, err);
}

static int ctl_credential_from_file(struct ctl_credential *credential, const char *path,
				    struct ockam_err *err)
{
	char *text = malloc(CTL_CREDENTIAL_TEXT + 1);
	FILE *f = text ? fopen(path, "re") : NULL;
	size_t len = 0;
	int ret = 0;

	if (f) {
		len = fread(text, 1, CTL_CREDENTIAL_TEXT + 1, f);
		ret = ferror(f) ? -errno : 0;
		fclose(f);
	} else {
		ret = text ? -errno : -ENOMEM;
	}
	if (ret)
		ockam_err_set(err, ret, "Cannot read %.150s: %s", path, strerror(-ret));
	else if (len > CTL_CREDENTIAL_TEXT)
		ret = ockam_err_set(err, -E2BIG, "%.150s is too large for a credential", path);
	else
		ret = ctl_credential_from_text(credential, text, len, err);
	free(text);
	return ret;
}

int ctl_credential_given(struct ctl_credential *credential, const struct ctl_args *args,
			 struct ockam_err *err)
{
	const char *text = ctl_arg(args, "credential");

	memset(credential, 0, sizeof(*credential));
	if (text)
		return ctl_credential_from_text(credential, text, strlen(text), err);
	return ctl_credential_from_file(credential, ctl_arg(args, "credential-path"), err);
}

int ctl_credential_check(struct ctl *ctl, const struct ctl_credential *credential,
			 const uint8_t issuer[OCKAM_IDENTIFIER_LEN], struct ockam_err *err)
{
	struct ockam_identity *known = NULL;
	char text[OCKAM_IDENTIFIER_TEXT];
	int ret;

	ret = ctl->store ? ockam_store_peer_get(ctl->store, issuer, &known, NULL, err) : -ENOENT;
	if (ret == -ENOENT) {
		ockam_identifier_format(issuer, text);
		return ockam_err_set(err, -EKEYREJECTED,
				     "the issuer %s is not known here: import it with ockam identity create --identity",
				     text);
	}
	if (!ret)
		ret = ockam_credential_verify(&credential->fields, NULL, &known, 1,
					      (uint64_t)time(NULL), err);
	ockam_identity_free(known);
	return ret;
}

bool ctl_credential_is_bad(int ret)
{
	return ret == -EBADMSG || ret == -E2BIG || ret == -EKEYREJECTED || ret == -EKEYEXPIRED;
}

/* May this be printed as it is: no control or format character, no odd separator. */
static bool ctl_credential_is_visible(ucs4_t c)
{
	return !uc_is_general_category_withtable(c, UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Cf |
						    UC_CATEGORY_MASK_Cs | UC_CATEGORY_MASK_Zl |
						    UC_CATEGORY_MASK_Zp);
}

/*
 * Bytes as text. What is no UTF-8 becomes \xNN. For people also whatever would
 * not be seen, and quotes stand around it. Text to free, or NULL.
 */
static char *ctl_credential_text(const struct ockam_piece *piece, bool people)
{
	const uint8_t *p = piece->data;
	size_t left = piece->len, size = 0;
	char *text = NULL;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	if (people)
		fputc('"', f);
	while (left) {
		ucs4_t c;
		int n = u8_mbtoucr(&c, p, left);

		if (n <= 0 || !c || (people && c < 0x80 && !ctl_credential_is_visible(c))) {
			fprintf(f, "\\x%02x", *p);
			n = 1;
		} else if (people && !ctl_credential_is_visible(c)) {
			fprintf(f, "\\u{%x}", c);
		} else {
			if (people && (c == '"' || c == '\\'))
				fputc('\\', f);
			fwrite(p, 1, (size_t)n, f);
		}
		p += n;
		left -= (size_t)n;
	}
	if (people)
		fputc('"', f);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

struct json_object *ctl_credential_object(const struct ctl_credential *credential)
{
	const struct ockam_credential *c = &credential->fields;
	struct json_object *attributes = json_object_new_object();
	struct json_object *object = json_object_new_object();
	char id[OCKAM_IDENTIFIER_TEXT];

	for (size_t i = 0; i < c->n_attributes; i++) {
		char *name = ctl_credential_text(&c->attributes[i].name, false);
		char *value = ctl_credential_text(&c->attributes[i].value, false);

		if (name && value)
			ockam_value_put_text(attributes, name, value);
		free(name);
		free(value);
	}
	ockam_value_put(object, "attributes", attributes);
	json_object_object_add(object, "created_at", json_object_new_uint64(c->created_at));
	json_object_object_add(object, "expires_at", json_object_new_uint64(c->expires_at));
	ockam_identifier_format(c->issuer.subject, id);
	ockam_value_put_text(object, "issuer", id);
	ockam_identifier_format(c->subject, id);
	ockam_value_put_text(object, "subject", c->has_subject ? id : NULL);
	return object;
}

static void ctl_credential_put_time(FILE *f, const char *name, uint64_t seconds)
{
	char text[CTL_TIME_TEXT];

	ctl_time_text(seconds, text);
	fprintf(f, "  %s %s\n", name, text);
}

static void ctl_credential_put_key(FILE *f, const struct ockam_attestation *a)
{
	const struct ockam_public_key *key = &a->signing_key;
	char hex[2 * sizeof(key->bytes) + 1];
	char id[OCKAM_IDENTIFIER_TEXT];

	ockam_identifier_format(a->subject, id);
	fprintf(f, "Purpose key:\n  Version:    1\n  Subject:    %s\n", id);
	ctl_credential_put_time(f, "Created at:", a->created_at);
	ctl_credential_put_time(f, "Expires at:", a->expires_at);
	if (a->purpose == OCKAM_PURPOSE_CREDENTIAL) {
		ockam_hex_encode(key->bytes, key->len, hex);
		fprintf(f, "  Public key: %s: %s", key->kind == OCKAM_KEY_ED25519 ?
			"EdDSACurve25519" : "ECDSASHA256CurveP256", hex);
	} else {
		ockam_hex_encode(a->channel_key, sizeof(a->channel_key), hex);
		fprintf(f, "  Public key: X25519: %s, which is not for credentials", hex);
	}
}

char *ctl_credential_plain(const struct ctl_credential *credential)
{
	const struct ockam_credential *c = &credential->fields;
	char id[OCKAM_IDENTIFIER_TEXT];
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	ockam_identifier_format(c->subject, id);
	fprintf(f, "Credential:\n  Version:    1\n  Subject:    %s\n", c->has_subject ? id : "none");
	ockam_identifier_format(c->issuer.subject, id);
	fprintf(f, "  Issuer:     %s\n", id);
	ctl_credential_put_time(f, "Created at:", c->created_at);
	ctl_credential_put_time(f, "Expires at:", c->expires_at);
	fprintf(f, "  Attributes:%s\n", c->n_attributes ? "" : " none");
	for (size_t i = 0; i < c->n_attributes; i++) {
		char *name = ctl_credential_text(&c->attributes[i].name, true);
		char *value = ctl_credential_text(&c->attributes[i].value, true);

		fprintf(f, "    %s: %s\n", name ?: "", value ?: "");
		free(name);
		free(value);
	}
	ctl_credential_put_key(f, &c->issuer);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}
