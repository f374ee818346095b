// SPDX-License-Identifier: GPL-2.0
/*
 * Names and addresses of cells, as users, DNS and configuration write them.
 */
#include <linux/ctype.h>
#include <uapi/linux/dns_resolver.h>
#include <linux/errno.h>
#include <linux/inet.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <kunit/visibility.h>
#include "cell.h"

int afsx_cell_name_check(const char *name, size_t len, const char **why)
{
	size_t i;

	if (len == 0) {
		*why = "the cell name is empty";
		return -EINVAL;
	}
	if (len > AFSX_CELLNAME_MAX) {
		*why = "the cell name is too long";
		return -ENAMETOOLONG;
	}
	for (i = 0; i < len; i++) {
		if (name[i] == '.' &&
		    (i == 0 || i == len - 1 || name[i - 1] == '.')) {
			*why = "the cell name has an empty label";
			return -EINVAL;
		}
		if (!isascii(name[i]) ||
		    (!isalnum(name[i]) && !strchr("-._", name[i])) ||
		    !name[i]) {
			*why = "a cell name has only letters, digits, '-', '.' and '_'";
			return -EINVAL;
		}
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_cell_name_check);

/* Go on behind the separator at @stop; "IP:" with nothing behind it is no list. */
static bool afsx_cell_next_item(const char **text, const char *end,
				const char *stop)
{
	*text = stop < end ? stop + 1 : end;
	return stop >= end || *text < end;
}

/* Read one address that ends at @delim or at the end of the text. */
static bool afsx_cell_parse_ip(const char **text, const char *end, char delim,
			       u32 *ip)
{
	__be32 addr;
	const char *stop;

	if (!in4_pton(*text, end - *text, (u8 *)&addr, delim, &stop) ||
	    !addr)
		return false;
	*ip = be32_to_cpu(addr);
	return afsx_cell_next_item(text, end, stop);
}

int afsx_cell_spec_parse(const char *text, struct afsx_cell_spec *spec,
			 const char **why)
{
	const char *end = text + strlen(text);
	const char *p = strchrnul(text, ':');
	int ret;

	spec->name = text;
	spec->len = p - text;
	spec->nr = 0;
	ret = afsx_cell_name_check(spec->name, spec->len, why);
	if (ret < 0)
		return ret;
	if (*p == ':' && !*++p) {
		*why = "there is no address after the ':'";
		return -EINVAL;
	}
	while (p < end) {
		if (spec->nr == ARRAY_SIZE(spec->ip)) {
			*why = "there are too many addresses";
			return -E2BIG;
		}
		if (!afsx_cell_parse_ip(&p, end, ':', &spec->ip[spec->nr])) {
			*why = "an address is not of the form 1.2.3.4";
			return -EINVAL;
		}
		spec->nr++;
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_cell_spec_parse);

/**
 * struct afsx_bytes - what is left of a binary answer
 * @p: next byte
 * @end: behind the last one
 */
struct afsx_bytes {
	const u8 *p;
	const u8 *end;
};

static const void *afsx_bytes_take(struct afsx_bytes *b, size_t len)
{
	const u8 *p = b->p;

	if (b->end - p < len)
		return NULL;
	b->p += len;
	return p;
}

/**
 * struct afsx_dns_found - what an answer of the DNS holds
 * @ip: where IPv4 addresses go, host order
 * @max: how many fit
 * @nr: how many there are
 * @ipv4: there were some
 * @ipv6: there were IPv6 addresses, which are of no use
 */
struct afsx_dns_found {
	u32		*ip;
	unsigned int	max;
	unsigned int	nr;
	bool		ipv4;
	bool		ipv6;
};

static void afsx_dns_found_ipv4(struct afsx_dns_found *found, u32 ip)
{
	found->ipv4 = true;
	if (found->nr < found->max)
		found->ip[found->nr++] = ip;
}

/* Read the addresses of one server. Return: false when the list is cut off. */
static bool afsx_cell_dns_server(struct afsx_bytes *b,
				 struct afsx_dns_found *found)
{
	const struct dns_server_list_v1_server *server;
	const struct dns_server_list_v1_address *type;
	const void *addr;
	unsigned int i;

	server = afsx_bytes_take(b, sizeof(*server));
	if (!server || !afsx_bytes_take(b, get_unaligned_le16(&server->name_len)))
		return false;
	for (i = 0; i < server->nr_addrs; i++) {
		type = afsx_bytes_take(b, sizeof(*type));
		if (!type)
			return false;
		switch (type->address_type) {
		case DNS_ADDRESS_IS_IPV4:
			addr = afsx_bytes_take(b, 4);
			if (!addr)
				return false;
			if (server->status == DNS_LOOKUP_GOOD)
				afsx_dns_found_ipv4(found, get_unaligned_be32(addr));
			break;
		case DNS_ADDRESS_IS_IPV6:
			if (!afsx_bytes_take(b, 16))
				return false;
			found->ipv6 |= server->status == DNS_LOOKUP_GOOD;
			break;
		default:
			return false;
		}
	}
	return true;
}

static int afsx_cell_dns_binary(const char *data, const char *end,
				struct afsx_dns_found *found)
{
	struct afsx_bytes b = { .p = data, .end = end };
	const struct dns_server_list_v1_header *header;
	unsigned int i;

	header = afsx_bytes_take(&b, sizeof(*header));
	if (!header || header->hdr.content != DNS_PAYLOAD_IS_SERVER_LIST ||
	    header->hdr.version != 1)
		return -EBADMSG;
	for (i = 0; i < header->nr_servers; i++)
		if (!afsx_cell_dns_server(&b, found))
			return -EBADMSG;
	return 0;
}

static int afsx_cell_dns_text(const char *data, const char *end,
			      struct afsx_dns_found *found)
{
	const char *stop;
	u8 ipv6[16];
	u32 ip;

	while (data < end) {
		if (in6_pton(data, end - data, ipv6, ',', &stop)) {
			if (!afsx_cell_next_item(&data, end, stop))
				return -EBADMSG;
			found->ipv6 = true;
		} else {
			if (!afsx_cell_parse_ip(&data, end, ',', &ip))
				return -EBADMSG;
			afsx_dns_found_ipv4(found, ip);
		}
	}
	return 0;
}

int afsx_cell_dns_parse(const char *data, size_t len, u32 *ip, unsigned int max)
{
	struct afsx_dns_found found = { .ip = ip, .max = max };
	int ret;

	if (len && data[0] == '\0')
		ret = afsx_cell_dns_binary(data, data + len, &found);
	else
		ret = afsx_cell_dns_text(data, data + len, &found);
	if (!ret && found.ipv6 && !found.ipv4)
		ret = -EAFNOSUPPORT;
	return ret ?: found.nr;
}
EXPORT_SYMBOL_IF_KUNIT(afsx_cell_dns_parse);
