// SPDX-License-Identifier: MIT
/*
 * file-calls SCRIPT CLIENT=DIRECTORY...: make the system calls of a script on the
 * files of one or more clients, and print what each of them answered. Run on two
 * servers, the same script prints the same text where the servers agree.
 *
 * A line of a script is
 *	CLIENT CALL ARGUMENT...
 * and is printed with ": " and the result behind it: ok, a value, or the name of
 * an error. Paths are below the client's directory. `file-calls --list` prints
 * the calls. Words are separated by blanks; \xNN is a byte, \N*C is N times the
 * character C, and \- alone is an empty word. A line beginning with = names the
 * section; it is printed. # begins a line of comment.
 */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calls.h"
#include "size.h"

#define EXIT_USAGE	2
/* A call that takes longer hangs: it is interrupted, and says EINTR. */
#define PATIENCE	150

static const struct call *const tables[] = { name_calls, data_calls };

static const char *script;
static int line_number_now;

void bad_script(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "file-calls: %s:%d: ", script, line_number_now);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(EXIT_USAGE);
}

const char *line_path(const struct line *line, int i)
{
	static char path[CALL_ARGS][2 * PATH_MAX];

	snprintf(path[i], sizeof(path[i]), "%s/%s", line->dir, line->arg[i]);
	return path[i];
}

u64 line_number(const struct line *line, int i)
{
	u64 value;

	if (size_parse(line->arg[i], 1, &value))
		bad_script("not a number: %s", line->arg[i]);
	return value;
}

void answer(struct line *line, const char *fmt, ...)
{
	size_t len = strlen(line->answer);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line->answer + len, sizeof(line->answer) - len, fmt, ap);
	va_end(ap);
}

void answer_text(struct line *line, const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		answer(line, isgraph((unsigned char)text[i]) && text[i] != '\\' ?
		       "%c" : "\\x%02x", (unsigned char)text[i]);
}

/* One escape, behind its backslash; returns what follows it. */
static const char *unescape(const char *in, char **out, const char *end)
{
	char *rest;
	unsigned long n;

	if (*in == '-')
		return in + 1;
	if (*in == 'x') {
		char hex[3] = { in[1], in[1] ? in[2] : '\0' };

		n = strtoul(hex, &rest, 16);
		if (!n || *rest || !hex[1])
			bad_script("\\x wants two digits and no zero byte");
		*(*out)++ = n;
		return in + 3;
	}
	n = strtoul(in, &rest, 10);
	if (rest == in || *rest != '*' || !rest[1] || n >= end - *out)
		bad_script("neither \\xNN nor \\N*C nor \\-: \\%s", in);
	memset(*out, rest[1], n);
	*out += n;
	return rest + 2;
}

static char *copy_word(const char *word)
{
	char text[2 * PATH_MAX], *out = text, *copy;

	while (*word && out < text + sizeof(text) - 1) {
		if (*word == '\\')
			word = unescape(word + 1, &out, text + sizeof(text) - 1);
		else
			*out++ = *word++;
	}
	*out = '\0';
	copy = strdup(text);
	if (!copy)
		bad_script("no memory");
	return copy;
}

static int count_words(const char *text)
{
	int n = 0;

	while (*(text += strspn(text, " "))) {
		n++;
		text += strcspn(text, " ");
	}
	return n;
}

static const struct call *find_call(const char *name)
{
	const struct call *call;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (call = tables[i]; call->name; call++)
			if (!strcmp(call->name, name))
				return call;
	bad_script("no such call: %s", name);
}

static const char *find_client(char *const *clients, const char *name)
{
	size_t len = strlen(name);

	for (; *clients; clients++)
		if (!strncmp(*clients, name, len) && (*clients)[len] == '=')
			return *clients + len + 1;
	bad_script("no such client: %s", name);
}

static void run_call(struct line *line, const struct call *call)
{
	int ret;

	alarm(PATIENCE);
	ret = call->run(line);
	alarm(0);
	if (ret)
		printf(": %s\n", strerrorname_np(errno) ?: "an unknown error");
	else
		printf(": %s\n", *line->answer ? line->answer : "ok");
}

static void run_line(char *text, char *const *clients)
{
	struct line *line = calloc(1, sizeof(*line));
	const struct call *call;
	char *word;
	int i;

	if (!line)
		bad_script("no memory");
	fputs(text, stdout);
	line->dir = find_client(clients, strsep(&text, " "));
	word = strsep(&text, " ");
	if (!word)
		bad_script("a client and no call");
	call = find_call(word);
	while ((word = strsep(&text, " "))) {
		if (line->nr == CALL_ARGS)
			bad_script("more than %d arguments", CALL_ARGS);
		line->arg[line->nr++] = copy_word(word);
	}
	if (line->nr != count_words(call->args))
		bad_script("usage: %s %s", call->name, call->args);
	run_call(line, call);
	fflush(stdout);
	for (i = 0; i < line->nr; i++)
		free(line->arg[i]);
	free(line);
}

static int run_script(char *const *clients)
{
	FILE *file = fopen(script, "r");
	char *text = NULL;
	size_t size = 0;

	if (!file) {
		fprintf(stderr, "file-calls: %s: %s\n", script, strerror(errno));
		return EXIT_USAGE;
	}
	while (getline(&text, &size, file) > 0) {
		line_number_now++;
		text[strcspn(text, "\n")] = '\0';
		if (*text == '=')
			puts(text);
		else if (*text && *text != '#')
			run_line(text, clients);
	}
	free(text);
	fclose(file);
	return 0;
}

static int list_calls(void)
{
	const struct call *call;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (call = tables[i]; call->name; call++)
			printf("%s %s\n", call->name, call->args);
	return 0;
}

static void ignore(int signal)
{
}

int main(int argc, char **argv)
{
	struct sigaction on_alarm = { .sa_handler = ignore };

	if (argc == 2 && !strcmp(argv[1], "--list"))
		return list_calls();
	if (argc < 3) {
		fprintf(stderr, "usage: file-calls SCRIPT CLIENT=DIRECTORY...\n"
			"       file-calls --list\n");
		return EXIT_USAGE;
	}
	sigaction(SIGALRM, &on_alarm, NULL);
	umask(022);
	script = argv[1];
	return run_script(argv + 2);
}
