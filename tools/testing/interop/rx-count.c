// SPDX-License-Identifier: MIT
/*
 * rx-count: run a command and count the remote procedure calls that any AFS
 * client and any AFS server of this machine begin while it runs.
 *
 * It listens to a network interface, so it takes nobody's word: not the
 * client's, not the server's. A call is counted when its first DATA packet goes
 * by; a retransmission of that packet is known by its call number. The packet
 * header is that of OpenAFS doc/txt/rx-spec.txt; the first word after it is the
 * operation, unless the connection is secured.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <afsx/platform.h>

#define UDP_LEN		8
#define RX_LEN		28
#define RX_EPOCH	0	/* offsets in the Rx header */
#define RX_CID		4
#define RX_CALL		8
#define RX_SEQ		12
#define RX_TYPE		20
#define RX_FLAGS	21
#define RX_SECURITY	23
#define RX_TYPE_DATA	1
#define RX_FROM_CLIENT	1	/* flag: sent by whoever began the call */
#define KEEP		128	/* bytes of a packet that are looked at */
#define QUIET_MS	300	/* silence that ends the count after the command */
#define SOCKET_BUFFER	(8 << 20)

enum service { SVC_FS, SVC_CB, SVC_PT, SVC_VL, SVC_VOL, SVC_OTHER };

static const char *const service_names[] = {
	[SVC_FS] = "FS", [SVC_CB] = "CB", [SVC_PT] = "PT", [SVC_VL] = "VL",
	[SVC_VOL] = "VOL", [SVC_OTHER] = "other",
};

/* Operations by name; others are shown by number. */
static const struct {
	enum service service;
	u32 opcode;
	const char *name;
} operations[] = {
	{ SVC_FS, 130, "FetchData" },
	{ SVC_FS, 131, "FetchACL" },
	{ SVC_FS, 132, "FetchStatus" },
	{ SVC_FS, 133, "StoreData" },
	{ SVC_FS, 134, "StoreACL" },
	{ SVC_FS, 135, "StoreStatus" },
	{ SVC_FS, 136, "RemoveFile" },
	{ SVC_FS, 137, "CreateFile" },
	{ SVC_FS, 138, "Rename" },
	{ SVC_FS, 139, "Symlink" },
	{ SVC_FS, 140, "Link" },
	{ SVC_FS, 141, "MakeDir" },
	{ SVC_FS, 142, "RemoveDir" },
	{ SVC_FS, 147, "GiveUpCallBacks" },
	{ SVC_FS, 149, "GetVolumeStatus" },
	{ SVC_FS, 153, "GetTime" },
	{ SVC_FS, 155, "BulkStatus" },
	{ SVC_FS, 156, "SetLock" },
	{ SVC_FS, 157, "ExtendLock" },
	{ SVC_FS, 158, "ReleaseLock" },
	{ SVC_FS, 161, "Lookup" },
	{ SVC_FS, 65536, "InlineBulkStatus" },
	{ SVC_FS, 65537, "FetchData64" },
	{ SVC_FS, 65538, "StoreData64" },
	{ SVC_FS, 65539, "GiveUpAllCallBacks" },
	{ SVC_FS, 65540, "GetCapabilities" },
	{ SVC_CB, 204, "CallBack" },
	{ SVC_CB, 205, "InitCallBackState" },
	{ SVC_CB, 206, "Probe" },
	{ SVC_CB, 213, "InitCallBackState3" },
	{ SVC_CB, 214, "ProbeUuid" },
	{ SVC_CB, 65538, "TellMeAboutYourself" },
	{ SVC_VL, 503, "GetEntryByID" },
	{ SVC_VL, 504, "GetEntryByName" },
	{ SVC_VL, 514, "Probe" },
	{ SVC_VL, 526, "GetEntryByIDU" },
	{ SVC_VL, 527, "GetEntryByNameU" },
	{ SVC_VL, 533, "GetAddrsU" },
	{ SVC_VL, 65537, "GetCapabilities" },
};

/* One channel of a connection: calls on it are numbered upwards. */
struct channel {
	u32 address, epoch, cid, last_call;
	u16 port;
};

struct counter {
	enum service service;
	u32 opcode;
	bool secured;
	unsigned long calls;
};

static struct channel *channels;
static size_t nr_channels;
static struct counter *counters;
static size_t nr_counters;

static u32 word_at(const u8 *p)
{
	u32 value;

	memcpy(&value, p, sizeof(value));
	return ntohl(value);
}

static u16 half_at(const u8 *p)
{
	return p[0] << 8 | p[1];
}

/* Make room for one more element of an array that only grows. */
static void *grow(void *array, size_t nr, size_t size)
{
	if (nr & (nr - 1))
		return array;
	array = reallocarray(array, nr ? 2 * nr : 1, size);
	if (!array)
		err(1, "memory");
	return array;
}

static bool begins_call(const struct channel *seen)
{
	struct channel *c;

	for (c = channels; c < channels + nr_channels; c++) {
		if (c->address != seen->address || c->port != seen->port ||
		    c->epoch != seen->epoch || c->cid != seen->cid)
			continue;
		if (seen->last_call <= c->last_call)
			return false;
		c->last_call = seen->last_call;
		return true;
	}
	channels = grow(channels, nr_channels, sizeof(*channels));
	channels[nr_channels++] = *seen;
	return true;
}

static void count(const struct counter *seen)
{
	struct counter *c;

	for (c = counters; c < counters + nr_counters; c++) {
		if (c->service == seen->service && c->opcode == seen->opcode &&
		    c->secured == seen->secured) {
			c->calls++;
			return;
		}
	}
	counters = grow(counters, nr_counters, sizeof(*counters));
	counters[nr_counters] = *seen;
	counters[nr_counters++].calls = 1;
}

/* Servers have fixed ports; a call from the file server's port is a callback. */
static enum service service_of(u16 from, u16 to)
{
	switch (to) {
	case 7000:
		return SVC_FS;
	case 7002:
		return SVC_PT;
	case 7003:
		return SVC_VL;
	case 7005:
		return SVC_VOL;
	default:
		return from == 7000 ? SVC_CB : SVC_OTHER;
	}
}

static void look_at(const u8 *packet, size_t len)
{
	size_t ip_len = (packet[0] & 0xf) * 4;
	const u8 *udp = packet + ip_len, *rx = udp + UDP_LEN;
	struct counter counter = {};
	struct channel channel;

	if (len < ip_len + UDP_LEN + RX_LEN + sizeof(u32))
		return;
	channel = (struct channel) {
		.address = word_at(packet + 12), .port = half_at(udp),
		.epoch = word_at(rx + RX_EPOCH), .cid = word_at(rx + RX_CID),
		.last_call = word_at(rx + RX_CALL),
	};
	if (!begins_call(&channel))
		return;
	counter.service = service_of(half_at(udp), half_at(udp + 2));
	counter.secured = rx[RX_SECURITY];
	if (!counter.secured)
		counter.opcode = word_at(rx + RX_LEN);
	count(&counter);
}

/* Let only first DATA packets of calls in, each once: the kernel's own filter. */
static void filter_packets(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_PKTTYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 11, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 9),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 7, 0),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, UDP_LEN + RX_TYPE),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, RX_FROM_CLIENT, 0, 4),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 8),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RX_TYPE_DATA, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, UDP_LEN + RX_SEQ),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, KEEP),
	};
	struct sock_fprog program = {
		.len = ARRAY_SIZE(code), .filter = code,
	};

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		err(1, "packet filter");
}

static int open_sniffer(const char *interface)
{
	struct sockaddr_ll link = { .sll_family = AF_PACKET };
	int fd, size = SOCKET_BUFFER;

	link.sll_ifindex = if_nametoindex(interface);
	if (!link.sll_ifindex)
		err(1, "interface %s", interface);
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		err(1, "packet socket");
	filter_packets(fd);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		err(1, "socket buffer");
	link.sll_protocol = htons(ETH_P_IP);
	if (bind(fd, (struct sockaddr *)&link, sizeof(link)) < 0)
		err(1, "interface %s", interface);
	return fd;
}

static void drain(int fd)
{
	u8 packet[KEEP];
	ssize_t len;

	while ((len = recv(fd, packet, sizeof(packet), 0)) > 0)
		look_at(packet, len);
	if (len < 0 && errno != EAGAIN)
		err(1, "packet socket");
}

static int compare_counters(const void *a, const void *b)
{
	const struct counter *left = a, *right = b;

	if (left->service != right->service)
		return left->service < right->service ? -1 : 1;
	return left->opcode < right->opcode ? -1 : left->opcode > right->opcode;
}

static void print_operation(FILE *out, const struct counter *c)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(operations); i++) {
		if (operations[i].service == c->service &&
		    operations[i].opcode == c->opcode) {
			fprintf(out, "%s", operations[i].name);
			return;
		}
	}
	if (c->secured)
		fprintf(out, "(secured)");
	else
		fprintf(out, "%u", c->opcode);
}

/* Lines of three words, CALLS SERVICE OPERATION, the last being the total. */
static void report(FILE *out)
{
	unsigned long total = 0;
	size_t i;

	qsort(counters, nr_counters, sizeof(*counters), compare_counters);
	for (i = 0; i < nr_counters; i++) {
		fprintf(out, "%lu %s ", counters[i].calls,
			service_names[counters[i].service]);
		print_operation(out, &counters[i]);
		fputc('\n', out);
		total += counters[i].calls;
	}
	fprintf(out, "%lu all calls\n", total);
}

static void must_not_have_lost(int fd)
{
	struct tpacket_stats stats;
	socklen_t len = sizeof(stats);

	if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) < 0)
		err(1, "packet statistics");
	if (stats.tp_drops)
		errx(1, "lost %u packets: the count is too low", stats.tp_drops);
}

static pid_t start(char **command, const sigset_t *restore)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		sigprocmask(SIG_SETMASK, restore, NULL);
		execvp(command[0], command);
		err(127, "%s", command[0]);
	}
	return pid;
}

/* Count until the command has ended and nothing was begun for a while. */
static int watch(int sniffer, char **command)
{
	struct pollfd fds[2] = { { .fd = sniffer, .events = POLLIN } };
	sigset_t wanted, before;
	int status = -1, ready;
	pid_t pid;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGCHLD);
	sigprocmask(SIG_BLOCK, &wanted, &before);
	fds[1] = (struct pollfd) {
		.fd = signalfd(-1, &wanted, SFD_CLOEXEC), .events = POLLIN,
	};
	pid = start(command, &before);
	do {
		ready = poll(fds, 2, fds[1].fd < 0 ? QUIET_MS : -1);
		if (ready < 0 && errno != EINTR)
			err(1, "poll");
		drain(sniffer);
		if (fds[1].revents && waitpid(pid, &status, WNOHANG) == pid)
			fds[1].fd = -1;
	} while (ready || fds[1].fd >= 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static noreturn void bad_usage(void)
{
	fprintf(stderr, "usage: rx-count [-i INTERFACE] [-o FILE] COMMAND...\n"
			"Counts AFS calls on INTERFACE (lo); prints to FILE (standard error).\n"
			"Exit status: the command's, or 1.\n");
	exit(2);
}

int main(int argc, char **argv)
{
	const char *interface = "lo";
	FILE *out = stderr;
	int option, sniffer, status;

	while ((option = getopt(argc, argv, "+i:o:")) != -1) {
		if (option == 'i') {
			interface = optarg;
		} else if (option == 'o') {
			out = fopen(optarg, "we");
			if (!out)
				err(1, "%s", optarg);
		} else {
			bad_usage();
		}
	}
	if (optind == argc)
		bad_usage();
	sniffer = open_sniffer(interface);
	status = watch(sniffer, argv + optind);
	must_not_have_lost(sniffer);
	report(out);
	return status;
}
