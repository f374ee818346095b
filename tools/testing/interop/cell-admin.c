// SPDX-License-Identifier: MIT
/*
 * cell-admin: what `fs setacl` and `fs mkmount` do, without a cache manager.
 *
 * A fresh volume lets nobody but an administrator change its root directory, and
 * Debian's `fs` needs OpenAFS's own kernel module. This program speaks to the
 * file server itself, as the cell's own key (what -localauth is to vos and pts),
 * over OpenAFS's Rx library. The calls are RXAFS_StoreACL and RXAFS_Symlink of
 * OpenAFS src/fsint/afsint.xg; their arguments are written as XDR here.
 */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>

#include <afsx/platform.h>

#include <afs/param.h>
#include <afs/stds.h>
#include <afs/cellconfig.h>
#include <afs/rxgen_consts.h>
#include <rx/rx.h>
#include <rx/rx_null.h>

#define SERVER_CONFIG	"/etc/openafs/server"
#define FS_PORT		7000
#define FS_SERVICE	1	/* the callback service has the same number */
#define OP_STORE_ACL	134
#define OP_SYMLINK	139
#define OP_INIT_STATE	205	/* RXAFSCB_InitCallBackState */
#define OP_PROBE	206	/* RXAFSCB_Probe */
#define SET_MODE	8	/* AFSStoreStatus.Mask: UnixModeBits is given */
#define MOUNT_MODE	0644	/* a symlink without execute bits is a mount point */
#define TEXT_MAX	1024

struct request {
	u8 bytes[4096];
	size_t len;
};

static void put_word(struct request *req, u32 value)
{
	value = htonl(value);
	memcpy(req->bytes + req->len, &value, sizeof(value));
	req->len += sizeof(value);
}

static void put_bytes(struct request *req, const char *bytes, size_t len)
{
	put_word(req, len);
	memcpy(req->bytes + req->len, bytes, len);
	req->len += (len + 3) & ~(size_t)3;
}

static void put_string(struct request *req, const char *text)
{
	size_t len = strlen(text);

	if (len >= TEXT_MAX)
		errx(2, "longer than %d bytes: %s", TEXT_MAX - 1, text);
	put_bytes(req, text, len);
}

/* The root directory of a volume is always vnode 1, uniquifier 1. */
static void put_root(struct request *req, const char *volume)
{
	char *end;
	unsigned long id = strtoul(volume, &end, 10);

	if (!id || id > U32_MAX || *end)
		errx(2, "not a volume id: %s", volume);
	put_word(req, id);
	put_word(req, 1);
	put_word(req, 1);
}

/*
 * acl VOLUME NAME RIGHTS: administrators keep everything, NAME gets RIGHTS. The
 * file server wants the text's NUL as well.
 */
static void encode_acl(struct request *req, char **args)
{
	char acl[TEXT_MAX];

	int len;

	len = snprintf(acl, sizeof(acl), "2\n0\nsystem:administrators\t127\n%s\t%s\n",
		       args[1], args[2]);
	if (len >= TEXT_MAX)
		errx(2, "longer than %d bytes: %s", TEXT_MAX - 1, acl);
	put_word(req, OP_STORE_ACL);
	put_root(req, args[0]);
	put_bytes(req, acl, len + 1);
}

/* mkmount VOLUME NAME TARGET */
static void encode_mkmount(struct request *req, char **args)
{
	put_word(req, OP_SYMLINK);
	put_root(req, args[0]);
	put_string(req, args[1]);
	put_string(req, args[2]);
	put_word(req, SET_MODE);
	put_word(req, 0);
	put_word(req, 0);
	put_word(req, 0);
	put_word(req, MOUNT_MODE);
	put_word(req, 0);
}

static const struct command {
	const char *name;
	const char *args;
	void (*encode)(struct request *req, char **args);
} commands[] = {
	{ "acl",	"VOLUME-ID NAME RIGHTS",	encode_acl },
	{ "mkmount",	"VOLUME-ID NAME TARGET",	encode_mkmount },
};

static noreturn void bad_usage(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(stderr, "usage: cell-admin ADDRESS %s %s\n",
			commands[i].name, commands[i].args);
	exit(2);
}

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	bad_usage();
}

/*
 * The file server calls back whoever calls it. This is the least it accepts: a
 * client of the oldest kind, which has no UUID and holds no promises.
 */
static afs_int32 serve_callback(struct rx_call *call)
{
	u32 opcode;

	if (rx_Read(call, (char *)&opcode, sizeof(opcode)) != sizeof(opcode))
		return RXGEN_SS_UNMARSHAL;
	opcode = ntohl(opcode);
	return opcode == OP_INIT_STATE || opcode == OP_PROBE ? 0 : RXGEN_OPCODE;
}

static void start_callback_service(void)
{
	static struct rx_securityClass *security[1];
	struct rx_service *service;

	security[0] = rxnull_NewServerSecurityObject();
	service = rx_NewService(0, FS_SERVICE, "callback", security, 1,
				serve_callback);
	if (!service)
		errx(1, "no callback service");
	rx_StartServer(0);
}

static struct rx_connection *connect_as_cell(const char *address)
{
	struct rx_securityClass *security;
	struct afsconf_dir *config;
	struct in_addr server;
	afs_int32 index, code;

	if (inet_pton(AF_INET, address, &server) != 1)
		errx(2, "not an IPv4 address: %s", address);
	config = afsconf_Open(SERVER_CONFIG);
	if (!config)
		errx(1, "no cell configuration in %s", SERVER_CONFIG);
	if (rx_Init(0))
		errx(1, "rx_Init failed");
	start_callback_service();
	code = afsconf_ClientAuth(config, &security, &index);
	if (code)
		errx(1, "no ticket from the cell's key: %d", code);
	if (index == RX_SECIDX_NULL)
		errx(1, "the cell has no key in %s", SERVER_CONFIG);
	return rx_NewConnection(server.s_addr, htons(FS_PORT), FS_SERVICE,
				security, index);
}

/* The reply is the new status, of no interest here; the abort code is. */
static int transact(struct rx_connection *conn, struct request *req)
{
	struct rx_call *call = rx_NewCall(conn);
	char reply[256];

	if (rx_Write(call, (char *)req->bytes, req->len) == (int)req->len)
		while (rx_Read(call, reply, sizeof(reply)) == sizeof(reply))
			;
	return rx_EndCall(call, 0);
}

int main(int argc, char **argv)
{
	const struct command *command;
	struct request request = {};
	int code;

	if (argc != 6)
		bad_usage();
	command = find_command(argv[2]);
	command->encode(&request, argv + 3);
	code = transact(connect_as_cell(argv[1]), &request);
	if (code)
		errx(1, "%s %s %s: the file server says %d", command->name,
		     argv[3], argv[4], code);
	return 0;
}
