/*
 * registry.h
 *		Who may do what, which model a reference means, and how versions are stored.
 *
 * access.c	the caller's rights in projects
 * resolve.c	model references ('churn', 'churn@7', 'sales/churn@champion')
 * deployment.c	which version is live, and what its deployment captures
 * project.c	where a new version goes
 * load.c	reading the bytes of a version
 * store.c	writing runs, versions and chunks as the extension's owner
 * gate.c	whether a version may go live
 *
 * "The caller" is GetUserId(): the role whose rights the current statement
 * has.  Nothing here is to be called from a SECURITY DEFINER function.
 */
#ifndef MLOPS_PG_REGISTRY_H
#define MLOPS_PG_REGISTRY_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/jsonb.h"

#include "../core.h"

/* What an access level lets a role do; access.c has the table of levels and rights (design: Security). */
typedef enum Right
{
	RIGHT_SEE,					/* that the model exists: its name and signature; every level has it */
	RIGHT_VIEW,					/* registry, metrics, monitors */
	RIGHT_PREDICT,
	RIGHT_TRAIN,				/* and read payloads */
	RIGHT_REVIEW,
	RIGHT_DEPLOY,
	RIGHT_OWN					/* membership, dropping */
} Right;

/* A right by the name that SQL has for it: see, view, predict, train, review, deploy, own. */
extern Right right_by_name(const char *name);

#define RIGHT_BIT(right) (1u << (right))

/* The caller's rights in a project, as RIGHT_BITs; superusers have all. */
extern unsigned access_rights(int64 project_id);

/* Whether the caller has a right in a project. */
extern bool access_allowed(int64 project_id, Right right);

/* INSUFFICIENT_PRIVILEGE, naming the level that would do; model_name may be NULL. */
extern void access_refuse(int64 project_id, Right right, const char *model_name) __attribute__((noreturn));

/* The same where the caller has not the right. */
extern void access_require(int64 project_id, Right right, const char *model_name);

#define REGISTRY_NAME_BYTES 200	/* the longest name of a project or model */
#define REGISTRY_NAME_SIZE (REGISTRY_NAME_BYTES + 1)
#define REGISTRY_HASH_SIZE 32	/* SHA-256 */

/* A resolved reference. */
typedef struct ModelRef
{
	int64		project_id;
	int64		model_id;
	int32		version;		/* 0: the model as such */
	int64		size;			/* of the version's bytes, where there is a version */
	uint8		sha256[REGISTRY_HASH_SIZE];	/* of the same */
	int64		deployment_id;	/* which answers; 0: the reference names the version */
	bool		uncommitted;	/* the deployment is this transaction's own */
	uint64		capture_hash;	/* of what the deployment captures */
	char		model_name[REGISTRY_NAME_SIZE];
} ModelRef;

/* What a bare name (without @) stands for. */
typedef enum BareName
{
	BARE_LIVE,					/* the live deployment; an error where there is none */
	BARE_NEWEST,				/* the newest version */
	BARE_MODEL					/* the model as such: version 0, and '@' is refused */
} BareName;

/*
 * Resolves a reference among the projects that the caller may see, by index,
 * with the active snapshot, without SPI; then requires the right.
 * UNDEFINED_OBJECT (with the nearest name, or the versions there are),
 * AMBIGUOUS_ALIAS (with project/model), INSUFFICIENT_PRIVILEGE,
 * OBJECT_NOT_IN_PREREQUISITE_STATE (not deployed; revoked, where the right is
 * to predict).
 */
extern void registry_resolve(const char *reference, BareName bare, Right right, ModelRef *ref);

/* Like BARE_MODEL, but false where the caller sees no such model; ambiguity stays an error. */
extern bool registry_find(const char *reference, ModelRef *ref);

/* The version deployed now, or 0.  No access check. */
extern int32 registry_live_version(int64 model_id);

/* The same for ref's model, and the fields of ref that tell of the deployment. */
extern int32 registry_live_deployment(ModelRef *ref);

/* What a deployment captures, as it is stored; NULL where the deployment is gone.  No access check. */
extern Jsonb *registry_deployment_capture(int64 deployment_id);

/* Name of a project, palloc'ed; whether the caller may see it is not asked. */
extern char *registry_project_name(int64 project_id);

/* The number of a project named as "#12", or 0: no project can be called so. */
extern int64 registry_project_number(const char *name);

/* The project of this name or number that the caller sees; UNDEFINED_OBJECT, AMBIGUOUS_ALIAS. */
extern int64 registry_find_project(const char *name);

/*
 * The project that a new model goes to: by name where given (it must exist and
 * the caller must have RIGHT_TRAIN), else the setting mlops.project, else the
 * caller's own project, made at first use.  RIGHT_TRAIN is required of each.
 */
extern int64 registry_project(const char *project_name);

/*
 * Where a new version of a model goes: the model of this name that the caller
 * sees, else one to be made in registry_project(project).  'project/model'
 * names both.  Sets project_id and model_name; RIGHT_TRAIN is required.
 * INVALID_NAME for what cannot be a name.
 */
extern void registry_target(const char *model, const char *project, ModelRef *target);

/* Reads the bytes of a version as the extension's owner: palloc'ed (huge) varlena, 4-byte header set.  No access check. */
extern struct varlena *registry_load(int64 model_id, int32 version);

/* DATA_CORRUPTED where a version says that it has a size that none can have. */
extern void registry_check_size(int64 model_id, int32 version, int64 size);

/*
 * Reads the bytes of a resolved version into place, which has room for a
 * length word and ref->size bytes and is 8-byte aligned.  No access check.
 */
extern void registry_read(const ModelRef *ref, struct varlena *place);

/* Locks, until the transaction ends, all that registry_read() reads, so that it waits for no lock. */
extern void registry_lock_chunks(void);

/* A version to store. */
typedef struct NewVersion
{
	int64		project_id;
	const char *model_name;		/* made where the project has none of this name */
	const struct varlena *artifact;	/* validated */
	const Model *model;			/* the same, opened */
	int64		run_id;			/* 0: none */
	const char *origin;			/* measured | reported */
	Jsonb	   *params;
	Jsonb	   *metrics;
	const void *reference;		/* what was frozen beside it (core/model/reference.h) */
	size_t		reference_size; /* 0: nothing */
} NewVersion;

/* SHA-256 of bytes, as bytea. */
extern Datum registry_sha256(const uint8 *bytes, size_t size);

/* Locks the model, gives the next number, writes version, signature, chunks and reference; the number. */
extern int32 registry_store(const NewVersion *new_version);

/*
 * Runs one SQL statement as the extension's owner (security-restricted), with
 * values as $1 ...; the first column of the first row, if any.  For the
 * registry's own statements only: never with text from a user.
 */
extern Datum registry_execute(const char *statement, int n, const Oid *types, const Datum *values, const bool *nulls, bool *result_null);

/* Until the end of the current nest level of settings, triggers take nothing for rows out of a dump (mlops.is_restoring()). */
extern void registry_not_restoring(void);

/* The same for a statement that comes often: its plan is kept in *plan, NULL at first, as long as the process lives. */
struct _SPI_plan;
extern Datum registry_execute_kept(struct _SPI_plan **plan, const char *statement, int n, const Oid *types, const Datum *values,
								   const bool *nulls, bool *result_null);

/*
 * The same for one that only reads (and whose functions are stable), under a
 * snapshot of this moment: for what must hold now, not when the transaction
 * began.
 */
extern Datum registry_ask_now(const char *statement, int n, const Oid *types, const Datum *values, bool *result_null);

/* What keeps a version from going live now, palloc'ed; NULL where nothing does.  No access check. */
extern char *gate_refusal(int64 model_id, int32 version);

/* The project and the name of a model by its id; false where there is none.  No access check. */
extern bool registry_find_model(int64 model_id, ModelRef *ref);

/* Whether rows come out of a dump, which are complete. */
extern bool registry_is_restoring(void);

/*
 * The data of a call as a trigger before each insert into a table of ours;
 * TRIGGER_PROTOCOL_VIOLATED otherwise: the rows of another table have other
 * columns, and what is written because of them would be forged.
 */
extern struct TriggerData *registry_insert_trigger(FunctionCallInfo fcinfo, const char *function, const char *table);

/*
 * Refuses the row that such a trigger is given, in the words of row security:
 * triggers come before it, and roles with BYPASSRLS do not meet it at all.
 */
extern _Noreturn void registry_refuse_row(const struct TriggerData *trigger);

#endif
