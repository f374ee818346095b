// SPDX-License-Identifier: MIT
/*
 * The lies, as a file of rules tells them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "liar.h"

/**
 * struct rule - a parsed line
 * @action: what to do
 * @a: first number
 * @b: second number, -1 when there is none
 */
struct rule {
	char		action[16];
	long long	a;
	long long	b;
};

/* Calls since the file changed that a rule with a count was applied to. */
static long long used;

static void notice_change(FILE *file)
{
	static struct stat seen;
	struct stat now;

	if (fstat(fileno(file), &now))
		return;
	if (now.st_ino != seen.st_ino || now.st_mtim.tv_sec != seen.st_mtim.tv_sec ||
	    now.st_mtim.tv_nsec != seen.st_mtim.tv_nsec)
		used = 0;
	seen = now;
}

static bool find_rule(const char *path, const char *name, struct rule *rule)
{
	FILE *file = fopen(path, "r");
	char line[128], rpc[64];
	bool found = false;

	if (!file)
		return false;
	notice_change(file);
	while (!found && fgets(line, sizeof(line), file)) {
		rule->a = 0;
		rule->b = -1;
		if (sscanf(line, "%63s %15s %lli %lli", rpc, rule->action,
			   &rule->a, &rule->b) >= 2)
			found = !strcmp(rpc, "*") || !strcmp(rpc, name);
	}
	fclose(file);
	return found;
}

u32 liar_version(const char *path)
{
	struct rule rule;

	return find_rule(path, "content", &rule) ? rule.a : 1;
}

static void put_word(struct liar_reply *reply, size_t index, u32 value)
{
	if (index < reply->len / 4)
		put_unaligned_be32(value, reply->buf + 4 * index);
}

static void bend_abort(struct liar_reply *reply, const struct rule *rule)
{
	if (rule->b >= 0 && used++ >= rule->b)
		return;
	reply->abort = rule->a;
}

static void bend_silent(struct liar_reply *reply, const struct rule *rule)
{
	reply->silent = true;
}

static void bend_endless(struct liar_reply *reply, const struct rule *rule)
{
	reply->endless = true;
}

static void bend_cut(struct liar_reply *reply, const struct rule *rule)
{
	size_t len = rule->a;

	reply->len -= min(len, reply->len);
}

static void bend_pad(struct liar_reply *reply, const struct rule *rule)
{
	size_t len = rule->a;

	len = min(len, sizeof(reply->buf) - reply->len);
	memset(reply->buf + reply->len, 0, len);
	reply->len += len;
}

static void bend_word(struct liar_reply *reply, const struct rule *rule)
{
	put_word(reply, rule->a, rule->b);
}

static void bend_noise(struct liar_reply *reply, const struct rule *rule)
{
	static const u32 nasty[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff };
	static bool seeded;
	int i;

	if (!seeded)
		srandom(rule->a);
	seeded = true;
	if (!reply->len)
		return;
	for (i = random() % 3; i > 0; i--)
		put_word(reply, random() % (reply->len / 4 + 1), random() % 2 ?
			 nasty[random() % ARRAY_SIZE(nasty)] : (u32)random());
	if (random() % 8 == 0)
		reply->len = random() % reply->len;
}

void liar_bend(const char *path, const struct afsx_rpc *rpc,
	       struct liar_reply *reply)
{
	static const struct {
		const char *name;
		void (*bend)(struct liar_reply *reply, const struct rule *rule);
	} actions[] = {
		{ "abort", bend_abort },
		{ "silent", bend_silent },
		{ "endless", bend_endless },
		{ "cut", bend_cut },
		{ "pad", bend_pad },
		{ "word", bend_word },
		{ "noise", bend_noise },
	};
	struct rule rule;
	size_t i;

	if (!find_rule(path, rpc->name, &rule))
		return;
	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		if (!strcmp(actions[i].name, rule.action)) {
			actions[i].bend(reply, &rule);
			return;
		}
	}
	fprintf(stderr, "liar: there is no action '%s'\n", rule.action);
	exit(2);
}
