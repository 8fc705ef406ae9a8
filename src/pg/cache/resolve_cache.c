/*
 * resolve_cache.c
 *		What references meant, as long as it provably is what they mean.
 *
 * What a reference means depends on rows of the registry, on the current
 * user, and on which roles that user is a member of.
 *
 * The rows that a query sees follow from its snapshot and, where the
 * transaction has written, from its own changes.  A transaction that has
 * written has an xid; then nothing is recalled or remembered here.  Other
 * snapshots that agree in xmax and in the number of transactions that were
 * running see the same: below one xmax running transactions end and none
 * begin, so their number stands for the set.  Every transaction that changes
 * a row, a role or a membership has an xid, whose end changes one of the two.
 * The comparison costs nothing and needs no messages.
 *
 * Memberships are asked of PostgreSQL's own cache, which follows its
 * invalidation messages, and those come a moment after a transaction's end.
 * So what was resolved between the two must not be kept: the same messages
 * end all that is remembered.
 *
 * Serializable transactions read the rows themselves, for it is the reads
 * that conflicts are found by.
 */
#include "resolve_cache.h"

#include "access/transam.h"
#include "access/xact.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "../epoch.h"

#define REMEMBERED 64			/* a power of two */
#define LONGEST_REFERENCE 127
#define LIFETIME_US (60 * USECS_PER_SEC)	/* far less than it takes to use up all xids */

/* The rows that are seen, where the transaction has not written. */
typedef struct SnapshotToken
{
	TransactionId xmin;
	TransactionId xmax;
	uint32		n_running;
	int32		n_running_sub;
	uint32		during_recovery;
} SnapshotToken;

/* A resolution. */
typedef struct Resolution
{
	bool		used;
	BareName	bare;
	Right		right;
	Oid			user;
	SnapshotToken token;
	uint64		epoch;			/* of roles */
	TimestampTz made_at;
	char		text[LONGEST_REFERENCE + 1];
	ModelRef	ref;
} Resolution;

static Resolution *resolutions;	/* by hash of text and user; NULL until the first use */

/* What the active snapshot sees. */
static SnapshotToken
current_token(void)
{
	Snapshot	snapshot = ActiveSnapshotSet() ? GetActiveSnapshot() : GetTransactionSnapshot();

	return (SnapshotToken) {
		.xmin = snapshot->xmin,
		.xmax = snapshot->xmax,
		.n_running = snapshot->xcnt,
		.n_running_sub = snapshot->subxcnt,
		.during_recovery = snapshot->takenDuringRecovery
	};
}

/* Where a reference is remembered. */
static Resolution *
place_of(const char *text, size_t length, Oid user)
{
	return &resolutions[(hash_bytes((const unsigned char *) text, (int) length) ^ user) & (REMEMBERED - 1)];
}

/* Finds what a reference means. */
bool
resolve_cache_recall(ResolveTicket *ticket, const char *text, BareName bare, Right right, ModelRef *ref)
{
	size_t		length = strlen(text);

	ticket->usable = length <= LONGEST_REFERENCE && !IsolationIsSerializable() && !TransactionIdIsValid(GetTopTransactionIdIfAny());
	if (!ticket->usable)
		return false;
	if (resolutions == NULL)
		resolutions = MemoryContextAllocZero(TopMemoryContext, REMEMBERED * sizeof(Resolution));
	ticket->epoch = epoch_of_roles;

	SnapshotToken token = current_token();
	Oid			user = GetUserId();
	const Resolution *known = place_of(text, length, user);

	if (!known->used || known->epoch != epoch_of_roles || known->user != user || known->bare != bare || known->right != right || strcmp(known->text, text) != 0 ||
		memcmp(&known->token, &token, sizeof(token)) != 0 ||
		llabs(GetCurrentStatementStartTimestamp() - known->made_at) > LIFETIME_US)
		return false;
	*ref = known->ref;
	return true;
}

/* Remembers what was looked up. */
void
resolve_cache_remember(const ResolveTicket *ticket, const char *text, BareName bare, Right right, const ModelRef *ref)
{
	if (!ticket->usable || ticket->epoch != epoch_of_roles)
		return;

	Oid			user = GetUserId();
	Resolution *place = place_of(text, strlen(text), user);

	place->used = true;
	place->bare = bare;
	place->right = right;
	place->user = user;
	place->token = current_token();
	place->epoch = ticket->epoch;
	place->made_at = GetCurrentStatementStartTimestamp();
	strlcpy(place->text, text, sizeof(place->text));
	place->ref = *ref;
}
