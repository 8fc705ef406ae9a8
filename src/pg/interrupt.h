/*
 * interrupt.h
 *		Noticing that the client of a long call has gone.
 */
#ifndef MLOPS_PG_INTERRUPT_H
#define MLOPS_PG_INTERRUPT_H

#include "postgres.h"

#include "miscadmin.h"

/* Of libpq/libpq.h, which asks for GSSAPI's headers where the server was built with it. */
extern bool pq_check_connection(void);

/* Makes the next CHECK_FOR_INTERRUPTS() end the session where its client has closed the connection. */
static inline void
interrupt_check_client(void)
{
	if (MyProcPort != NULL && !pq_check_connection())
	{
		ClientConnectionLost = true;
		InterruptPending = true;
	}
}

#endif
