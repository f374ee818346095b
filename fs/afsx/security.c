// SPDX-License-Identifier: GPL-2.0
/*
 * Keys and permissions.
 */
#include <linux/fs.h>
#include <linux/key.h>
#include <linux/string.h>
#include <keys/rxrpc-type.h>
#include <kunit/visibility.h>
#include <net/net_namespace.h>
#include <afsx/types.h>

#include "callback.h"
#include "cell.h"
#include "net.h"
#include "security.h"
#include "validate.h"
#include "vnode.h"
#include "volume.h"

#define AFSX_KEY_PREFIX	"afs@"

struct key *afsx_key_get(struct afsx_cell *cell)
{
	char desc[sizeof(AFSX_KEY_PREFIX) + AFSX_CELLNAME_MAX];
	struct key *key;

	memcpy(desc, AFSX_KEY_PREFIX, strlen(AFSX_KEY_PREFIX));
	memcpy(desc + strlen(AFSX_KEY_PREFIX), cell->name, cell->name_len);
	rcu_read_lock();
	key = request_key_net_rcu(&key_type_rxrpc, desc, cell->net->net);
	rcu_read_unlock();
	if (IS_ERR(key))
		return NULL;
	if (key_validate(key)) {
		key_put(key);
		return NULL;
	}
	return key;
}

/* A directory's own status brings its rights; those of a file follow it. */
static bool afsx_permits_fit(const struct afsx_vnode *vnode)
{
	return S_ISDIR(vnode->netfs.inode.i_mode) ||
	       vnode->rights_gen == (u32)atomic_read(&vnode->volume->rights_gen);
}

void afsx_permit_note(struct afsx_vnode *vnode, struct key *key, u32 access)
{
	struct afsx_permit *permit = vnode->permit;
	s32 serial = key_serial(key);
	unsigned int i;

	if (!afsx_permits_fit(vnode)) {
		vnode->permit_stamp++;
		vnode->rights_gen = atomic_read(&vnode->volume->rights_gen);
	}
	for (i = 0; i < AFSX_NR_PERMITS - 1; i++)
		if (permit[i].stamp && permit[i].key == serial)
			break;
	/*
	 * An ACL belongs to a directory and changing it breaks the promise of
	 * the directory alone, but it decides about the files as well. Once
	 * an entry is pushed out, a change of it would go unnoticed.
	 */
	if (S_ISDIR(vnode->netfs.inode.i_mode) && permit[i].stamp &&
	    (permit[i].key != serial || permit[i].access != access))
		atomic_inc(&vnode->volume->rights_gen);
	memmove(permit + 1, permit, i * sizeof(*permit));
	permit[0] = (struct afsx_permit) {
		.key	= serial,
		.access	= access,
		.stamp	= vnode->permit_stamp,
	};
}

/* Rights known for a key, under the promise. False: ask the server. */
static bool afsx_permit_find(struct afsx_vnode *vnode, struct key *key,
			     u32 *access)
{
	s32 serial = key_serial(key);
	unsigned int seq, i;
	bool found;

	if (!afsx_promise_holds(vnode))
		return false;
	do {
		seq = read_seqbegin(&vnode->cb_lock);
		found = false;
		for (i = 0; i < AFSX_NR_PERMITS && !found; i++) {
			const struct afsx_permit *permit = &vnode->permit[i];

			found = permit->key == serial &&
				permit->stamp == vnode->permit_stamp;
			*access = permit->access;
		}
		found = found && afsx_permits_fit(vnode);
	} while (read_seqretry(&vnode->cb_lock, seq));
	return found;
}

static int afsx_rights(struct afsx_vnode *vnode, struct key *key, int mask,
		       u32 *access)
{
	if (afsx_permit_find(vnode, key, access))
		return 0;
	if (mask & MAY_NOT_BLOCK)
		return -ECHILD;
	if (test_bit(AFSX_V_DELETED, &vnode->flags))
		return -ESTALE;
	return afsx_revalidate(vnode, key, access);
}

bool afsx_access_allows(umode_t mode, u32 access, int mask)
{
	if (S_ISDIR(mode)) {
		if (mask & (MAY_READ | MAY_EXEC) &&
		    !(access & AFSX_ACE_LOOKUP))
			return false;
		return !(mask & MAY_WRITE) ||
		       access & (AFSX_ACE_INSERT | AFSX_ACE_DELETE);
	}
	if (!(access & AFSX_ACE_LOOKUP))
		return false;
	if (mask & MAY_READ && !(access & AFSX_ACE_READ && mode & 0400))
		return false;
	if (mask & MAY_WRITE && !(access & AFSX_ACE_WRITE && mode & 0200))
		return false;
	return !(mask & MAY_EXEC) || (access & AFSX_ACE_READ && mode & 0100);
}
EXPORT_SYMBOL_IF_KUNIT(afsx_access_allows);

int afsx_permission(struct mnt_idmap *idmap, struct inode *inode, int mask)
{
	struct afsx_vnode *vnode = AFSX_V(inode);
	struct key *key;
	u32 access;
	int ret;

	if (!(mask & (MAY_READ | MAY_WRITE | MAY_EXEC)))
		return 0;
	key = afsx_key_get(vnode->volume->cell);
	ret = afsx_rights(vnode, key, mask, &access);
	key_put(key);
	if (ret)
		return ret;
	return afsx_access_allows(READ_ONCE(inode->i_mode), access, mask) ?
	       0 : -EACCES;
}
