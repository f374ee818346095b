/* SPDX-License-Identifier: MIT */
/*
 * Structured log of the daemons: one line per event on stderr,
 *   time=2026-01-31T12:00:00.123Z level=info prog=afsxd msg="..." key=value ...
 * Values with spaces, quotes or control characters are quoted and escaped.
 */
#ifndef AFSX_LOG_H
#define AFSX_LOG_H

#include <stddef.h>

#include "defs.h"

enum log_level {
	LOG_ERROR,
	LOG_WARN,
	LOG_INFO,
	LOG_DEBUG,
};

/**
 * struct log_field - one key=value pair; made by the LOG_* macros
 * @key: name, [a-z_]; NULL for none
 * @kind: which of @str and @num holds the value, and how to print it
 * @str: text
 * @num: number
 */
struct log_field {
	const char *key;
	enum { LOG_FIELD_STR, LOG_FIELD_INT, LOG_FIELD_UINT, LOG_FIELD_HEX } kind;
	const char *str;
	u64 num;
};

#define LOG_S(k, v)	{ .key = (k), .kind = LOG_FIELD_STR, .str = (v) }
#define LOG_I(k, v)	{ .key = (k), .kind = LOG_FIELD_INT, .num = (u64)(s64)(v) }
#define LOG_U(k, v)	{ .key = (k), .kind = LOG_FIELD_UINT, .num = (v) }
#define LOG_X(k, v)	{ .key = (k), .kind = LOG_FIELD_HEX, .num = (v) }

/**
 * log_setup() - say who logs and how much; call before threads start
 * @prog: value of prog=
 * @level: least severe level that is written
 */
void log_setup(const char *prog, enum log_level level);

/** log_enabled() - whether lines of this severity are written */
bool log_enabled(enum log_level level);

/** log_level_parse() - "error", "warn", "info" or "debug"; -1 for others. */
int log_level_parse(const char *name);

/**
 * log_write() - write one line, whole, from any thread
 * @level: severity
 * @msg: constant text saying what happened
 * @fields: values; those without a key are passed over
 * @nr: number of @fields
 */
void log_write(enum log_level level, const char *msg,
	       const struct log_field *fields, size_t nr);

#define log_at(level, msg, ...)						\
do {									\
	if (log_enabled(level)) {					\
		const struct log_field log_fields_[] = {		\
			{ .key = NULL }, ##__VA_ARGS__			\
		};							\
									\
		log_write(level, msg, log_fields_,			\
			  ARRAY_SIZE(log_fields_));			\
	}								\
} while (0)

#define log_error(msg, ...)	log_at(LOG_ERROR, msg, ##__VA_ARGS__)
#define log_warn(msg, ...)	log_at(LOG_WARN, msg, ##__VA_ARGS__)
#define log_info(msg, ...)	log_at(LOG_INFO, msg, ##__VA_ARGS__)
#define log_debug(msg, ...)	log_at(LOG_DEBUG, msg, ##__VA_ARGS__)

#endif /* AFSX_LOG_H */
