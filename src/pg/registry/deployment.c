/*
 * deployment.c
 *		What is read of deployments: which one is live, and what it captures.
 *
 * All reads are index scans under the active snapshot, without an access
 * check; whoever calls has checked the caller's rights.
 */
#include "registry.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "common/hashfn.h"

#include "registry_scan.h"

/* Reads the live deployment of ref's model: its version, or 0, and what a prediction's record needs. */
int32
registry_live_deployment(ModelRef *ref)
{
	RegistryScan scan;
	int32		version = 0;

	registry_scan_open(&scan, "deployment");
	registry_scan_key_int64(&scan, "model_id", ref->model_id);
	registry_scan_start(&scan, "deployment_live_key");
	if (registry_scan_next(&scan))
	{
		Jsonb	   *capture = DatumGetJsonbP(registry_scan_get(&scan, registry_scan_column(&scan, "capture")));

		version = DatumGetInt32(registry_scan_get(&scan, registry_scan_column(&scan, "version")));
		ref->deployment_id = DatumGetInt64(registry_scan_get(&scan, registry_scan_column(&scan, "id")));
		ref->uncommitted = TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(scan.tuple->t_data));
		ref->capture_hash = hash_bytes_extended((const unsigned char *) VARDATA(capture), (int) (VARSIZE(capture) - VARHDRSZ), 0);
	}
	registry_scan_close(&scan);
	return version;
}

/* The live version, or 0. */
int32
registry_live_version(int64 model_id)
{
	ModelRef	ref = {.model_id = model_id};

	return registry_live_deployment(&ref);
}

/* What a deployment captures. */
Jsonb *
registry_deployment_capture(int64 deployment_id)
{
	RegistryScan scan;
	Jsonb	   *capture = NULL;

	registry_scan_open(&scan, "deployment");
	registry_scan_key_int64(&scan, "id", deployment_id);
	registry_scan_start(&scan, "deployment_pkey");
	if (registry_scan_next(&scan))
		capture = DatumGetJsonbPCopy(registry_scan_get(&scan, registry_scan_column(&scan, "capture")));
	registry_scan_close(&scan);
	return capture;
}
