// SPDX-License-Identifier: MIT
#include "lease.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"
#include "crc32c.h"
#include "le.h"
#include "log.h"
#include "sb.h"

#define ID_LEN		36	/* a UUID in text */
#define TRUST_MS	((LEASE_WATCH_S - LEASE_PERIOD_S) * 1000)
#define SLOW_MS		30000	/* a new owner tries to renew its lease for so long */
#define HOST_LEN	64

/* Offsets in the block */
enum {
	LE_MAGIC = 0,
	LE_STORE = 8,
	LE_OWNER = 24,		/* random, of one opening of the store */
	LE_COUNTER = 40,
	LE_PID = 48,
	LE_PIDNS = 56,
	LE_STARTED = 64,	/* start time of the process, ticks since boot */
	LE_BOOT = 72,
	LE_HOST = 72 + ID_LEN,
	LE_CRC = BLK_SIZE - 4,
};

static const u8 magic[8] = { 'A', 'F', 'S', 'X', 'O', 'W', 'N', 'R' };

/* Who an owner is, as far as another process can tell. */
struct owner {
	u8 id[16];
	u64 counter;
	u64 pid;
	u64 pidns;
	u64 started;
	char boot[ID_LEN];
	char host[HOST_LEN];
};

/**
 * struct lease - the store is ours
 * @dev: device
 * @store: UUID of the store
 * @thread: renews the lease
 * @turn: held while @thread or lease_hold() renews it
 * @self: what the lease says, but for the counter
 * @blocks: of the store, as noted beside it
 * @counter: of the last lease written
 * @renewed: when the last renewal that counts began, milliseconds
 * @lock: protects @stop
 * @wake: the thread shall look at @stop
 * @stop: the thread shall end
 */
struct lease {
	struct blkdev *dev;
	struct afsx_uuid store;
	pthread_t thread;
	pthread_mutex_t turn;
	struct owner self;
	atomic_ullong blocks;
	atomic_ullong counter;
	atomic_llong renewed;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop;
};

static void sleep_ms(s64 ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

static const char *skip_fields(const char *p, int nr)
{
	while (p && nr--)
		p = strchr(p + 1, ' ');
	return p;
}

/* Start of a process in clock ticks since boot; 0 when it does not run. */
static u64 process_start(u64 pid)
{
	FILE *f CLEANUP_FCLOSE = NULL;
	char path[64], line[1024];
	const char *p;
	unsigned long long started = 0;
	unsigned int threads = 0;
	bool zombie;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%ju/stat", (uintmax_t)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	n = fread(line, 1, sizeof(line) - 1, f);
	line[n] = '\0';
	/* the name in field 2 may contain anything but ends in ')' */
	p = skip_fields(strrchr(line, ')'), 1);
	zombie = p && p[1] == 'Z';
	p = skip_fields(p, 17);
	if (!p || sscanf(p, " %u %*d %llu", &threads, &started) != 2)
		return 0;
	/* it has ended, and so have its threads */
	if (zombie && threads <= 1)
		return 0;
	return started;
}

static void read_boot_id(char *boot)
{
	FILE *f CLEANUP_FCLOSE = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!f || fread(boot, 1, ID_LEN, f) != ID_LEN)
		memset(boot, 0, ID_LEN);
}

static int describe_self(struct owner *o)
{
	struct stat ns;

	memset(o, 0, sizeof(*o));
	if (getrandom(o->id, sizeof(o->id), 0) != (ssize_t)sizeof(o->id))
		return -errno;
	o->pid = (u64)getpid();
	o->pidns = stat("/proc/self/ns/pid", &ns) ? 0 : ns.st_ino;
	o->started = process_start(o->pid);
	read_boot_id(o->boot);
	gethostname(o->host, sizeof(o->host) - 1);
	return 0;
}

static void lease_encode(const struct afsx_uuid *store, const struct owner *o,
			 u64 blocks, u8 *b)
{
	memset(b, 0, BLK_SIZE);
	sb_note(b, store, blocks);
	memcpy(b + LE_MAGIC, magic, sizeof(magic));
	memcpy(b + LE_STORE, store->b, sizeof(store->b));
	memcpy(b + LE_OWNER, o->id, sizeof(o->id));
	le64_put(b + LE_COUNTER, o->counter);
	le64_put(b + LE_PID, o->pid);
	le64_put(b + LE_PIDNS, o->pidns);
	le64_put(b + LE_STARTED, o->started);
	memcpy(b + LE_BOOT, o->boot, ID_LEN);
	memcpy(b + LE_HOST, o->host, HOST_LEN);
	le32_put(b + LE_CRC, crc32c(0, b, LE_CRC));
}

static int take_apart(const u8 *b, const struct afsx_uuid *store,
		      struct owner *o)
{
	if (memcmp(b + LE_MAGIC, magic, sizeof(magic)) ||
	    crc32c(0, b, LE_CRC) != le32_get(b + LE_CRC) ||
	    memcmp(b + LE_STORE, store->b, sizeof(store->b)))
		return -ENOENT;
	memcpy(o->id, b + LE_OWNER, sizeof(o->id));
	o->counter = le64_get(b + LE_COUNTER);
	o->pid = le64_get(b + LE_PID);
	o->pidns = le64_get(b + LE_PIDNS);
	o->started = le64_get(b + LE_STARTED);
	memcpy(o->boot, b + LE_BOOT, ID_LEN);
	memcpy(o->host, b + LE_HOST, HOST_LEN);
	o->host[HOST_LEN - 1] = '\0';
	return 0;
}

/*
 * Who owns @store.  A torn or foreign block means nobody: the owner's last
 * write was cut off by a crash, or there never was one.
 */
static int lease_read(struct blkdev *dev, const struct afsx_uuid *store,
		      struct owner *o)
{
	u8 b[BLK_SIZE];
	int ret = blkdev_read(dev, BLK_SIZE, b, sizeof(b));

	return ret ? ret : take_apart(b, store, o);
}

/*
 * @away: the device is being connected again, so only identify() may ask it.
 * @until: clock_boot_ms() after which it may not be sent.
 */
static int lease_write(struct lease *l, bool away, s64 until)
{
	struct owner self = l->self;
	u8 b[BLK_SIZE];

	self.counter = atomic_fetch_add(&l->counter, 1) + 1;
	lease_encode(&l->store, &self, atomic_load(&l->blocks), b);
	return away ? blkdev_write_away(l->dev, BLK_SIZE, b, sizeof(b), until) :
		      blkdev_write_first(l->dev, BLK_SIZE, b, sizeof(b), until);
}

/*
 * Whether the lease is what we wrote; *@other: who else did.  Our id is in the first
 * sector of the block: the rest of it may be torn when the server died while it
 * wrote it.  No lease at all is what another owner leaves behind.
 *
 * Return: 0; -ESTALE; an I/O error.
 */
static int look(struct lease *l, bool away, struct owner *other)
{
	u8 b[BLK_SIZE];
	int ret = away ? blkdev_read_away(l->dev, BLK_SIZE, b, sizeof(b)) :
			 blkdev_read_first(l->dev, BLK_SIZE, b, sizeof(b));

	if (ret)
		return ret;
	if (!memcmp(b + LE_MAGIC, magic, sizeof(magic)) &&
	    !memcmp(b + LE_STORE, l->store.b, sizeof(l->store.b)) &&
	    !memcmp(b + LE_OWNER, l->self.id, sizeof(l->self.id)))
		return 0;
	take_apart(b, &l->store, other);
	return -ESTALE;
}

/* Whether process ids can be compared: same boot, same pid namespace. */
static bool is_neighbour(const struct owner *self, const struct owner *o)
{
	return o->boot[0] && !memcmp(self->boot, o->boot, ID_LEN) &&
	       self->pidns && self->pidns == o->pidns;
}

static bool is_running(const struct owner *o)
{
	return o->started && process_start(o->pid) == o->started;
}

static int watch_owner(struct blkdev *dev, const struct afsx_uuid *store,
		       const struct owner *before)
{
	struct owner now;

	for (int s = 0; s < LEASE_WATCH_S; s++) {
		int ret;

		sleep(1);
		ret = lease_read(dev, store, &now);
		if (ret)
			return ret == -ENOENT ? 0 : ret;
		if (now.counter != before->counter ||
		    memcmp(now.id, before->id, sizeof(now.id)))
			return -EBUSY;
	}
	return 0;
}

int lease_check(struct blkdev *dev, const struct afsx_uuid *store,
		struct errbuf *err)
{
	struct owner self, o;
	int ret = lease_read(dev, store, &o);

	if (ret == -ENOENT)
		return 0;
	if (!ret)
		ret = describe_self(&self);
	if (ret)
		return err_set(err, ret, "cannot read the owner's lease: %s",
			       strerror(-ret));
	if (is_neighbour(&self, &o))
		ret = is_running(&o) ? -EBUSY : 0;
	else
		ret = watch_owner(dev, store, &o);
	if (ret == -EBUSY)
		err_set(err, ret, "the store is in use by process %ju on %s",
			(uintmax_t)o.pid, o.host);
	return ret;
}

/* The lease was written at @start, or later. */
static void count_from(struct lease *l, s64 start)
{
	atomic_store(&l->renewed, start);
	blkdev_trust(l->dev, start + TRUST_MS);
}

/* Others may take the owner for dead soon, or did. */
static bool is_late(struct lease *l)
{
	return clock_boot_ms() - atomic_load(&l->renewed) > TRUST_MS;
}

/*
 * Until when the lease may be written that was looked at from @start on: later it may
 * be another owner's.  Nobody takes one for dead that was renewed lately.
 */
static s64 time_to_write(struct lease *l, s64 start)
{
	return max(start + LEASE_CLAIM_MS,
		   (s64)atomic_load(&l->renewed) + TRUST_MS);
}

/*
 * Who did not renew for too long may be taken for dead at this moment: a claim that
 * began before our write is there when no other can follow.
 *
 * Return: 0; -ESTALE; -ETIME when the device was too slow; an I/O error.
 */
static int renew(struct lease *l, bool away)
{
	struct owner other = { .host = "" };
	int ret, looks = 0;
	s64 start;

	/* a look from before a pause says nothing */
	do {
		start = clock_boot_ms();
		ret = look(l, away, &other);
	} while (!ret && clock_boot_ms() - start > LEASE_CLAIM_MS && ++looks < 3);
	if (!ret)
		ret = lease_write(l, away, time_to_write(l, start));
	if (!ret && is_late(l)) {
		sleep_ms(LEASE_SETTLE_MS);
		ret = look(l, away, &other);
	}
	if (!ret)
		count_from(l, start);
	if (ret == -ESTALE)
		log_error("another process took the store over",
			  LOG_S("host", other.host), LOG_U("pid", other.pid));
	return ret;
}

static void renew_or_fail(struct lease *l)
{
	MUTEX_GUARD(&l->turn);

	if (renew(l, false) == -ESTALE)
		blkdev_fail(l->dev, -ESTALE);
}

int lease_hold(struct lease *l)
{
	if (is_late(l))
		renew_or_fail(l);
	return blkdev_failed(l->dev) == -ESTALE ? -ESTALE : 0;
}

int lease_note(struct lease *l, u64 blocks)
{
	int ret;

	MUTEX_GUARD(&l->turn);
	if (atomic_exchange(&l->blocks, blocks) == blocks)
		return 0;
	do
		ret = renew(l, false);
	while (ret == -ETIME);
	return ret;
}

int lease_resume(struct lease *l)
{
	struct owner other;

	return is_late(l) ? renew(l, true) : look(l, true, &other);
}

static void *heartbeat(void *arg)
{
	struct lease *l = arg;
	struct timespec next;

	pthread_mutex_lock(&l->lock);
	clock_gettime(CLOCK_MONOTONIC, &next);
	while (!l->stop) {
		next.tv_sec += LEASE_PERIOD_S;
		while (!l->stop &&
		       !pthread_cond_timedwait(&l->wake, &l->lock, &next))
			;
		if (l->stop)
			break;
		/* the next one in time, however long this one takes */
		clock_gettime(CLOCK_MONOTONIC, &next);
		pthread_mutex_unlock(&l->lock);
		renew_or_fail(l);
		pthread_mutex_lock(&l->lock);
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

/* The lease as it is now still is what was judged before. */
static int look_again(struct lease *l, int before, const struct owner *dead)
{
	struct owner o;
	int ret = lease_read(l->dev, &l->store, &o);

	if (ret && ret != -ENOENT)
		return ret;
	if (ret != before || (!ret && (o.counter != dead->counter ||
				       memcmp(o.id, dead->id, sizeof(o.id)))))
		return -EBUSY;
	return 0;
}

/*
 * Wait for as long as an owner needs to see our lease, which goes on living meanwhile,
 * and longer when the device or the machine is too slow to renew it in time.
 */
static int outlast(struct lease *l)
{
	s64 now = clock_boot_ms();
	s64 end = now + LEASE_WATCH_S * 1000;
	s64 patience = end + SLOW_MS;
	int ret;

	do {
		sleep_ms(LEASE_PERIOD_S * 1000);
		ret = renew(l, false);
		now = clock_boot_ms();
	} while ((!ret && now < end) || (ret == -ETIME && now < patience));
	return ret;
}

/* Wait until nobody else can have claimed the store as well. */
static int settle(struct lease *l, s64 took)
{
	struct owner other;
	int ret;

	if (took <= LEASE_CLAIM_MS) {
		sleep_ms(LEASE_SETTLE_MS);
		ret = look(l, false, &other);
	} else {
		ret = outlast(l);
	}
	return ret == -ESTALE ? -EBUSY : ret;
}

static int claim(struct lease *l, struct errbuf *err)
{
	struct owner dead;
	int before = lease_read(l->dev, &l->store, &dead);
	int ret = lease_check(l->dev, &l->store, err);
	s64 start;

	if (ret)
		return ret;
	if (before && before != -ENOENT)
		return err_set(err, before, "cannot read the owner's lease: %s",
			       strerror(-before));
	start = clock_boot_ms();
	atomic_store(&l->renewed, start);
	ret = look_again(l, before, &dead);
	if (!ret)
		ret = lease_write(l, false, start + TRUST_MS);
	if (!ret)
		ret = settle(l, clock_boot_ms() - start);
	if (ret == -EBUSY)
		return err_set(err, ret, "the store was taken by another process at this moment");
	return ret ? err_set(err, ret, "cannot get the owner's lease: %s",
			     strerror(-ret)) : 0;
}

/*
 * Before we read, an owner that lives must have noticed, or not dare to write, and the
 * server must have done what one that was killed had sent.
 */
static int outwait(struct lease *l, const struct owner *o)
{
	bool near = is_neighbour(&l->self, o);

	if (near && o->pid == l->self.pid)
		return 0;	/* this process had it open before */
	return settle(l, near && !is_running(o) ? 0 : LEASE_WATCH_S * 1000);
}

static int take_over(struct lease *l, struct errbuf *err)
{
	struct owner o;
	int before = lease_read(l->dev, &l->store, &o);
	int ret = before == -ENOENT ? 0 : before;

	atomic_store(&l->renewed, clock_boot_ms());
	if (!ret)
		ret = lease_write(l, false, BLKDEV_ANY_TIME);
	if (!ret && !before)
		ret = outwait(l, &o);
	return ret ? err_set(err, ret, "cannot take over the owner's lease: %s",
			     strerror(-ret)) : 0;
}

static struct lease *lease_new(struct blkdev *dev, const struct sb *sb)
{
	struct lease *l = calloc(1, sizeof(*l));
	pthread_condattr_t attr;

	if (!l)
		return NULL;
	l->dev = dev;
	l->store = sb->uuid;
	atomic_store(&l->blocks, sb->blocks);
	pthread_mutex_init(&l->turn, NULL);
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->wake, &attr);
	pthread_condattr_destroy(&attr);
	return l;
}

static void lease_free(struct lease *l)
{
	pthread_mutex_destroy(&l->turn);
	pthread_mutex_destroy(&l->lock);
	pthread_cond_destroy(&l->wake);
	free(l);
}

int lease_acquire(struct blkdev *dev, const struct sb *sb, bool takeover,
		  struct lease **out, struct errbuf *err)
{
	struct lease *l = lease_new(dev, sb);
	int ret;

	if (!l)
		return err_set(err, -ENOMEM, "out of memory");
	ret = describe_self(&l->self);
	if (ret)
		err_set(err, ret, "no random numbers: %s", strerror(-ret));
	else
		ret = takeover ? take_over(l, err) : claim(l, err);
	/* the machine had something else to do meanwhile */
	if (!ret && is_late(l)) {
		ret = settle(l, S64_MAX);
		if (ret)
			err_set(err, ret, "cannot keep the owner's lease: %s",
				strerror(-ret));
	}
	if (!ret) {
		count_from(l, atomic_load(&l->renewed));
		ret = -pthread_create(&l->thread, NULL, heartbeat, l);
		if (ret)
			err_set(err, ret, "cannot start a thread: %s",
				strerror(-ret));
	}
	if (ret) {
		lease_free(l);
		return ret;
	}
	*out = l;
	return 0;
}

void lease_release(struct lease *l)
{
	u8 nobody[BLK_SIZE] = { 0 };
	struct owner other;
	s64 start;

	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	l->stop = true;
	pthread_cond_signal(&l->wake);
	pthread_mutex_unlock(&l->lock);
	pthread_join(l->thread, NULL);
	blkdev_trust(l->dev, 0);
	sb_note(nobody, &l->store, atomic_load(&l->blocks));
	start = clock_boot_ms();
	if (!look(l, false, &other))
		blkdev_write_first(l->dev, BLK_SIZE, nobody, sizeof(nobody),
				   time_to_write(l, start));
	lease_free(l);
}
