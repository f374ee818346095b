// SPDX-License-Identifier: MIT
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"

static const char *const level_names[] = {
	[LOG_ERROR] = "error",
	[LOG_WARN] = "warn",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

static const char *log_prog = "afsx";
static enum log_level log_max = LOG_INFO;

void log_setup(const char *prog, enum log_level level)
{
	log_prog = prog;
	log_max = level;
}

bool log_enabled(enum log_level level)
{
	return level <= log_max;
}

int log_level_parse(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(level_names); i++)
		if (!strcmp(name, level_names[i]))
			return (int)i;
	return -1;
}

static void put_time(FILE *f)
{
	struct timespec now;
	struct tm tm;
	char text[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(f, "time=%s.%03ldZ", text, now.tv_nsec / 1000000);
}

static void put_quoted(FILE *f, const char *s)
{
	fputc('"', f);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			fprintf(f, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(f, "\\x%02x", c);
		else
			fputc(c, f);
	}
	fputc('"', f);
}

static void put_str(FILE *f, const char *s)
{
	if (!s)
		fputs("-", f);
	else if (!*s || strpbrk(s, " \"=\\\t\n\r\x7f"))
		put_quoted(f, s);
	else
		fputs(s, f);
}

static void put_field(FILE *f, const struct log_field *field)
{
	fprintf(f, " %s=", field->key);
	switch (field->kind) {
	case LOG_FIELD_STR:
		put_str(f, field->str);
		break;
	case LOG_FIELD_INT:
		fprintf(f, "%jd", (intmax_t)field->num);
		break;
	case LOG_FIELD_UINT:
		fprintf(f, "%ju", (uintmax_t)field->num);
		break;
	case LOG_FIELD_HEX:
		fprintf(f, "0x%jx", (uintmax_t)field->num);
		break;
	}
}

void log_write(enum log_level level, const char *msg,
	       const struct log_field *fields, size_t nr)
{
	CLEANUP_FREE char *line = NULL;
	size_t len = 0;
	FILE *f;

	f = open_memstream(&line, &len);
	if (!f)
		return;
	put_time(f);
	fprintf(f, " level=%s prog=%s msg=", level_names[level], log_prog);
	put_quoted(f, msg);
	for (size_t i = 0; i < nr; i++)
		if (fields[i].key)
			put_field(f, &fields[i]);
	fputc('\n', f);
	if (fclose(f))
		return;
	/* one write(2) per line keeps lines of several threads apart */
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}
