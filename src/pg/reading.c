/*
 * reading.c
 *		Running what must only read.
 *
 * A failure is rethrown behind the subtransaction's end, so that a handler
 * further out unwinds its own subtransaction and not this one.
 */
#include "reading.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

/* Calls work in a read-only subtransaction. */
void
run_reading_only(ReadingWork work, void *context)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	XactReadOnly = true;
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		int			nest_level = NewGUCNestLevel();

		work(context);
		AtEOXact_GUC(false, nest_level);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(caller);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		ErrorData  *failure;

		MemoryContextSwitchTo(caller);
		failure = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(caller);
		CurrentResourceOwner = owner;
		ReThrowError(failure);
	}
	PG_END_TRY();
}

void
rights_lend(Rights *before, Oid role)
{
	GetUserIdAndSecContext(&before->role, &before->security);
	SetUserIdAndSecContext(role, before->security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
}

void
rights_restore(const Rights *before)
{
	SetUserIdAndSecContext(before->role, before->security);
}

/* A statement of one row, and what it returned. */
typedef struct Statement
{
	const char *text;
	int			n;
	const Oid  *types;
	const Datum *values;
	Datum		result;
	bool		is_null;
} Statement;

static void
run_statement(void *argument)
{
	Statement  *statement = argument;
	int			outcome;

	SPI_connect();
	outcome = SPI_execute_with_args(statement->text, statement->n, unconstify(Oid *, statement->types), unconstify(Datum *, statement->values),
									NULL, false, 0);
	if (outcome != SPI_OK_SELECT)
		elog(ERROR, "a statement failed: %s", SPI_result_code_string(outcome));
	if (SPI_processed > 0)
	{
		Form_pg_attribute column = TupleDescAttr(SPI_tuptable->tupdesc, 0);

		statement->result = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &statement->is_null);
		if (!statement->is_null)
			statement->result = SPI_datumTransfer(statement->result, column->attbyval, column->attlen);
	}
	SPI_finish();
}

/* Runs a statement with the caller's rights. */
Datum
call_as_caller(const char *text, int n, const Oid *types, const Datum *values, bool *result_null)
{
	Statement	statement = {.text = text, .n = n, .types = types, .values = values, .is_null = true};

	run_statement(&statement);
	*result_null = statement.is_null;
	return statement.result;
}

/* The same, reading only. */
Datum
read_as_caller(const char *text, int n, const Oid *types, const Datum *values, bool *result_null)
{
	Statement	statement = {.text = text, .n = n, .types = types, .values = values, .is_null = true};

	run_reading_only(run_statement, &statement);
	*result_null = statement.is_null;
	return statement.result;
}
