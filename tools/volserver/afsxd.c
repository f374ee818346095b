// SPDX-License-Identifier: MIT
/*
 * afsxd: the server of a cell.  It offers the volumes of a store as the file
 * and volume location services of AFS-3.
 */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "afsxd.h"
#include "arrival.h"
#include "callback.h"
#include "control.h"
#include "dispatch.h"
#include "err.h"
#include "host.h"
#include "lock.h"
#include "log.h"
#include "notify.h"
#include "options.h"
#include "rx_server.h"
#include "stats.h"
#include "store.h"

#define COLLECT_STEP	1000	/* rows in one transaction */
#define COLLECT_PAUSE	5	/* seconds between looks for something to free */

/* What is running, in the order it was started; undone in reverse. */
struct running {
	struct afsxd d;
	struct control *control;
	bool serving;
};

static void break_changed(void *ctx, const void *origin,
			  const struct afsx_fid *fids, size_t nr)
{
	struct afsxd *d = ctx;

	callbacks_break(d->callbacks, origin, fids, nr);
}

static int start_store(struct afsxd *d, const struct options *o,
		       struct errbuf *err)
{
	struct store_config config = {
		.uri = o->store,
		.readers = o->readers,
		.cache_mib = o->cache_mib,
		.data_cache_mib = o->data_cache_mib,
		.connect_s = o->connect_timeout,
		.answer_s = o->answer_timeout,
		.reconnect_s = o->reconnect,
	};
	struct store_info info;
	int ret;

	ret = store_open(&config, &d->store, err);
	if (ret)
		return ret;
	ret = store_info(d->store, &info);
	if (ret)
		return err_set(err, ret, "%s: cannot read the store",
			       o->store);
	d->uuid = info.uuid;
	store_set_notify(d->store, break_changed, d);
	return 0;
}

static int start_tables(struct afsxd *d, const struct options *o,
			struct errbuf *err)
{
	struct callbacks_config callbacks = {
		.max = o->max_promises,
		.lifetime = o->promise_time,
	};
	unsigned int client_calls = o->client_calls ? : o->threads / 2;
	struct arrivals_config arrivals = {
		.timeout = o->request_timeout,
		.max_client = client_calls,
		.max = o->threads / 2,
	};
	struct hosts_config hosts = {
		.uuid = d->uuid,
		.max = o->max_clients,
		.timeout = o->callback_timeout,
		.retry = o->callback_retry,
		.max_waiting = o->threads / 2,
		.max_calls = client_calls,
		.max_address_calls = max(client_calls, o->threads / 2),
		.max_queued = o->threads / 4,
	};

	d->stats = stats_new();
	d->locks = locks_new(o->max_locks, o->lock_time);
	d->callbacks = callbacks_new(&callbacks);
	d->arrivals = arrivals_new(&arrivals);
	if (d->stats && d->locks && d->callbacks && d->arrivals)
		d->hosts = hosts_new(&hosts, d->callbacks);
	return d->hosts ? 0 : err_set(err, -ENOMEM, "out of memory");
}

/* All addresses of this machine, those of the loopback only if @loopback. */
static void local_addrs(struct afsxd *d, bool loopback)
{
	struct ifaddrs *list, *i;

	if (getifaddrs(&list))
		return;
	for (i = list; i && d->nr_addrs < AFSXD_ADDRS_MAX; i = i->ifa_next) {
		struct sockaddr_in *in = (struct sockaddr_in *)i->ifa_addr;

		if (in && in->sin_family == AF_INET && i->ifa_flags & IFF_UP &&
		    !(i->ifa_flags & IFF_LOOPBACK) == !loopback)
			d->addrs[d->nr_addrs++] = ntohl(in->sin_addr.s_addr);
	}
	freeifaddrs(list);
}

/* Which addresses clients are told; their version is the time of day. */
static int choose_addrs(struct afsxd *d, const struct options *o,
			struct errbuf *err)
{
	d->uniquifier = time(NULL);
	if (o->listen[0] != INADDR_ANY) {
		memcpy(d->addrs, o->listen, sizeof(o->listen));
		d->nr_addrs = o->nr_listen;
		return 0;
	}
	local_addrs(d, false);
	if (!d->nr_addrs)
		local_addrs(d, true);
	return d->nr_addrs ? 0 : err_set(err, -EADDRNOTAVAIL,
					 "no IPv4 address on this machine");
}

static int start_rx(struct afsxd *d, const struct options *o,
		    struct errbuf *err)
{
	const struct rxs_service services[] = {
		{ AFSX_SVC_FS, o->fs_port, "FS" },
		{ AFSX_SVC_VL, o->vl_port, "VL" },
	};
	struct rxs_config config = {
		.addrs = o->listen,
		.nr_addrs = o->nr_listen,
		.services = services,
		.nr_services = ARRAY_SIZE(services),
		.threads = o->threads,
		.idle_timeout = o->idle_timeout,
		.udp_buffer = o->udp_buffer_kib * 1024,
		.datagram_packets = o->datagram_packets,
		.handler = dispatch,
		.ctx = d,
	};
	int ret = rxs_start(&config);

	if (ret)
		return err_set(err, ret,
			       "cannot listen on UDP ports %u and %u: %s",
			       o->fs_port, o->vl_port, strerror(-ret));
	return 0;
}

static int start_control(struct running *r, const struct options *o,
			 struct errbuf *err)
{
	struct control_config config = {
		.path = o->control,
		.store = r->d.store,
		.status = stats_print,
		.ctx = &r->d,
		.max_commands = o->max_commands,
	};

	return o->control ? control_start(&config, &r->control, err) : 0;
}

static int start(struct running *r, const struct options *o,
		 struct errbuf *err)
{
	int ret;

	ret = choose_addrs(&r->d, o, err);
	if (!ret)
		ret = start_store(&r->d, o, err);
	if (!ret)
		ret = start_tables(&r->d, o, err);
	if (!ret) {
		ret = start_rx(&r->d, o, err);
		r->serving = true;
	}
	if (!ret)
		ret = start_control(r, o, err);
	return ret;
}

static int stop(struct running *r, const struct options *o)
{
	control_stop(r->control);
	if (r->serving)
		rxs_stop(o->grace);
	arrivals_free(r->d.arrivals);
	hosts_free(r->d.hosts);
	callbacks_free(r->d.callbacks);
	locks_free(r->d.locks);
	stats_free(r->d.stats);
	return store_close(r->d.store);
}

/* Signals are waited for here, and taken by no other thread. */
static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	pthread_sigmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void *die_of_signal(void *arg)
{
	const sigset_t *set = arg;
	int sig;

	sigwait(set, &sig);
	signal(sig, SIG_DFL);
	pthread_kill(pthread_self(), sig);
	pthread_sigmask(SIG_UNBLOCK, set, NULL);
	return NULL;
}

/*
 * To start and to stop may take as long as the device does.  Who does not want to
 * wait for that sends a signal: the store is made for a process that dies.
 */
static bool allow_death(pthread_t *thread, sigset_t *set)
{
	return !pthread_create(thread, NULL, die_of_signal, set);
}

static void forbid_death(bool allowed, pthread_t thread)
{
	if (!allowed)
		return;
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}

/*
 * Free what nobody refers to any more, while clients are served. Return: the signal
 * that came meanwhile, or 0.
 */
static int collect_leftovers(struct afsxd *d, const sigset_t *set)
{
	static const struct timespec at_once;
	int ret = 1, sig = 0;

	while (ret > 0 && sig <= 0) {
		ret = store_collect(d->store, COLLECT_STEP);
		sig = sigtimedwait(set, NULL, &at_once);
	}
	if (ret < 0)
		log_warn("leftovers not freed", LOG_I("error", ret));
	/* what lacked room or time may have it later */
	if (ret == -ENOSPC || ret == -EAGAIN)
		atomic_store(&d->leftovers, true);
	return sig > 0 ? sig : 0;
}

/* Return: the signal that ends the server. */
static int wait_for_end(struct afsxd *d, const sigset_t *set)
{
	static const struct timespec pause = { .tv_sec = COLLECT_PAUSE };
	int sig = collect_leftovers(d, set);

	while (sig <= 0) {
		sig = sigtimedwait(set, NULL, &pause);
		if (sig <= 0 && atomic_exchange(&d->leftovers, false))
			sig = collect_leftovers(d, set);
	}
	return sig;
}

static int run(const struct options *o)
{
	struct running r = { .serving = false };
	struct errbuf err = { "" };
	int ret, closed, sig;
	pthread_t thread;
	bool allowed;
	sigset_t set;

	block_signals(&set);
	allowed = allow_death(&thread, &set);
	ret = start(&r, o, &err);
	forbid_death(allowed, thread);
	if (ret) {
		log_error("cannot start", LOG_S("why", err.text));
	} else {
		log_info("serving", LOG_S("cell", o->cell),
			 LOG_S("store", o->store), LOG_U("fs_port", o->fs_port),
			 LOG_U("vl_port", o->vl_port));
		notify("READY=1");
		sig = wait_for_end(&r.d, &set);
		log_info("stopping", LOG_I("signal", sig));
		notify("STOPPING=1");
	}
	allowed = allow_death(&thread, &set);
	closed = stop(&r, o);
	forbid_death(allowed, thread);
	if (closed)
		log_error("store not closed cleanly", LOG_I("error", closed));
	else
		log_info("stopped");
	return ret || closed;
}

int main(int argc, char **argv)
{
	struct options o;

	options_parse(argc, argv, &o);
	log_setup("afsxd", o.log_level);
	return run(&o);
}
