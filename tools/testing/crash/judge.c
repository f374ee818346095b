// SPDX-License-Identifier: MIT
#include "judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sound.h"
#include "test.h"

void history_init(struct history *h, const struct model *m)
{
	h->nr = 0;
	history_add(h, m, 0);
	h->acked[0] = 0;
}

u32 history_add(struct history *h, const struct model *m, u64 now)
{
	if (h->nr == HISTORY_MAX)
		die("too many states");
	h->state[h->nr] = model_text(m);
	h->begun[h->nr] = now;
	h->acked[h->nr] = RAM_NEVER;
	return h->nr++;
}

void history_acked(struct history *h, u32 nr, u64 now)
{
	u64 before = atomic_load(&h->acked[nr]);

	while (now < before &&
	       !atomic_compare_exchange_weak(&h->acked[nr], &before, now))
		;
}

void history_free(struct history *h)
{
	while (h->nr)
		free(h->state[--h->nr]);
}

void history_range(const struct history *h, u64 when, u32 *low, u32 *high)
{
	*low = 0;
	*high = 0;
	for (u32 i = 0; i < h->nr; i++) {
		if (h->acked[i] < when)
			*low = i;
		if (h->begun[i] < when)
			*high = i;
	}
}

int history_find(const struct history *h, const char *text, u32 low, u32 high)
{
	for (u32 i = high + 1; i-- > low;)
		if (!strcmp(h->state[i], text))
			return (int)i;
	for (u32 i = h->nr; i-- > 0;)
		if (!strcmp(h->state[i], text)) {
			printf("shows state %u, not %u to %u\n", i, low, high);
			return -1;
		}
	printf("shows what never was:\n%sbut should:\n%s", text,
	       h->state[high]);
	return -1;
}

static int look(struct store *st, const struct history *h, u32 low, u32 high)
{
	int err, found, problems;
	char *text = work_text(st, &err);

	if (!text) {
		printf("cannot be read: %s\n", strerror(-err));
		return -1;
	}
	found = history_find(h, text, low, high);
	free(text);
	problems = check_store(st);
	if (problems)
		printf("check: %d\n", problems);
	return problems ? -1 : found;
}

/* It still works: what is left over goes, and something new comes. */
static int use(struct store *st, const struct history *h, u32 found)
{
	struct step s = { .op = STEP_CREATE, .a = "probe", .mode = 0600 };
	u32 vid = work_volume(st);
	int ret = work_collect(st);

	if (!ret)
		ret = work_commit(st, vid, &s);
	s.op = STEP_APPEND;
	s.len = 20000;
	if (!ret)
		ret = work_commit(st, vid, &s);
	s.op = STEP_REMOVE;
	if (!ret)
		ret = work_commit(st, vid, &s);
	if (ret) {
		printf("cannot be used: %s\n", strerror(-ret));
		return -1;
	}
	return look(st, h, found, found);
}

int judge(struct ramdev *d, const struct history *h, u32 low, u32 high,
	  bool thorough)
{
	struct errbuf err = { "" };
	struct store *st;
	int found;

	ramdev_serve(d);
	st = work_open(RAM_URI, &err);
	if (!st) {
		printf("does not open: %s\n", err.text);
		return -1;
	}
	found = look(st, h, low, high);
	if (found >= 0 && thorough)
		found = use(st, h, (u32)found);
	if (store_close(st)) {
		puts("cannot be closed");
		return -1;
	}
	return found;
}
