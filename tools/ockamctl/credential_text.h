/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials as commands see them: given as hex or in a file, checked against
 * an issuer that this home knows, shown. Attributes are bytes of a stranger.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_CREDENTIAL_TEXT_H
#define OCKAM_CTL_CREDENTIAL_TEXT_H

#include <json-c/json.h>

#include "buf.h"
#include "credential.h"
#include "ctl.h"

/* A decoded credential. Free with ctl_credential_free(). */
struct ctl_credential {
	struct ockam_buf	bytes;
	struct ockam_credential	fields;		/* points into bytes */
};

void ctl_credential_free(struct ctl_credential *credential);

/**
 * ctl_credential_decode() - take a CredentialAndPurposeKey apart
 * @bytes: exactly one; copied
 *
 * Return: 0; -EBADMSG or -E2BIG for what is none; -ENOMEM.
 */
int ctl_credential_decode(struct ctl_credential *credential, const uint8_t *bytes, size_t len,
			  struct ockam_err *err);

/**
 * ctl_credential_given() - the one of --credential or --credential-path
 *
 * Blanks around the hex digits are left out. At most what a credential may
 * have is read of a file.
 *
 * Return: as above; another negative errno when the file cannot be read.
 */
int ctl_credential_given(struct ctl_credential *credential, const struct ctl_args *args,
			 struct ockam_err *err);

/**
 * ctl_credential_check() - is it valid now, and by this issuer
 * @issuer: an identity whose history this home knows
 *
 * Return: 0; -EKEYREJECTED or -EKEYEXPIRED when it is not; another errno when
 * that could not be found out.
 */
int ctl_credential_check(struct ctl *ctl, const struct ctl_credential *credential,
			 const uint8_t issuer[OCKAM_IDENTIFIER_LEN], struct ockam_err *err);

/** ctl_credential_is_bad() - does @ret say something about the credential, not about us */
bool ctl_credential_is_bad(int ret);

/** ctl_credential_object() - {"attributes", "created_at", "expires_at", "issuer", "subject"} */
struct json_object *ctl_credential_object(const struct ctl_credential *credential);

/**
 * ctl_credential_plain() - the same for people, with the purpose key
 * Return: text to free, NULL without memory.
 */
char *ctl_credential_plain(const struct ctl_credential *credential);

#endif /* OCKAM_CTL_CREDENTIAL_TEXT_H */
