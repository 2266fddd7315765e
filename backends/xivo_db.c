/* xivo_db.c - XiVO's database, for the backends that ask it. SPDX-License-Identifier: GPL-3.0-or-later */
#include "xivo_db.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "xivo_text.h"

#define MARGIN_MS 500 /* of the host's deadline: for the answer on its way */
#define WHY_MAX 512

/* For the server: an end to a query whose asker has gone, and no writing. */
#define SESSION "-c statement_timeout=3s -c default_transaction_read_only=on"

struct xivo_db {
    const struct xa_host *host;
    char *uri;         /* holds a password */
    char *session;     /* "options" of the connection */
    PGconn *conn;      /* NULL: none yet, or given up */
    char why[WHY_MAX]; /* what was said last of a trouble that lasts, or "" */
};

struct xivo_rows {
    const struct xa_host *host;
    PGresult *result;
};

/* --- start and stop ------------------------------------------------------ */

static const char *
uri_of(const struct xa_host *host)
{
    return host->text(host->get(host->config(host), "db_uri"));
}

int
xivo_db_is_configured(const struct xa_host *host)
{
    return uri_of(host) && *uri_of(host);
}

static const char *
value_of(const PQconninfoOption *options, const char *keyword)
{
    while (options->keyword && strcmp(options->keyword, keyword) != 0)
        options++;
    return options->val;
}

/* Their options of a session, and ours after them, which win. */
static char *
make_session(const PQconninfoOption *options)
{
    const char *theirs = value_of(options, "options");
    size_t size = (theirs ? strlen(theirs) : 0) + sizeof " " SESSION;
    char *session = malloc(size);

    if (session)
        snprintf(session, size, "%s " SESSION, theirs ? theirs : "");
    return session;
}

static void
warn_of_strangers(const struct xa_host *host, const PQconninfoOption *options)
{
    const char *mode = value_of(options, "sslmode");
    const char *where = value_of(options, "hostaddr");

    if (!where)
        where = value_of(options, "host");
    if (!xivo_text_is_local(where) && (!mode || strcmp(mode, "verify-full")))
        host->log(host, XA_HOST_WARNING,
                  "db_uri names another machine without sslmode=verify-full: "
                  "who stands between can answer for it");
}

/* NULL, or why not: a constant, because libpq's complaint would quote what
 * may be the password. */
static const char *
read_uri(struct xivo_db *db)
{
    const char *why = xivo_text_uri(uri_of(db->host), &db->uri);
    PQconninfoOption *options;
    char *complaint = NULL;

    if (why)
        return why;
    options = PQconninfoParse(db->uri, &complaint);
    PQfreemem(complaint);
    if (!options)
        return "cannot be read by libpq; in a password write %25 for %, and "
               "so on";
    db->session = make_session(options);
    if (db->session)
        warn_of_strangers(db->host, options);
    PQconninfoFree(options);
    return db->session ? NULL : "out of memory";
}

static void
drop(struct xivo_db *db)
{
    PQfinish(db->conn); /* waits for nothing, see open_connection() */
    db->conn = NULL;
}

void
xivo_db_free(struct xivo_db **db)
{
    struct xivo_db *old = *db;

    *db = NULL;
    if (!old)
        return;
    drop(old);
    if (old->uri)
        old->host->wipe(old->uri, strlen(old->uri));
    free(old->uri);
    free(old->session);
    free(old);
}

int
xivo_db_new(const struct xa_host *host, struct xivo_db **out)
{
    struct xivo_db *db = calloc(1, sizeof *db);
    const char *why = "out of memory";

    if (db) {
        db->host = host;
        why = read_uri(db);
    }
    if (why) {
        host->log(host, XA_HOST_ERROR, "db_uri %s", why);
        xivo_db_free(&db);
        return -1;
    }
    *out = db;
    return 0;
}

/* --- one trouble, said once ---------------------------------------------- */

/* libpq's text is of several lines, and ends with one. */
static void
join_lines(char *text)
{
    size_t len = strlen(text);

    while (len > 0 && text[len - 1] == '\n')
        text[--len] = '\0';
    for (char *p = text; *p; p++)
        if (*p == '\n' || *p == '\t')
            *p = ' ';
}

/* No text is known that quotes the password; none ever shall. */
static int
holds_password(const struct xivo_db *db, const char *text)
{
    const char *password = db->conn ? PQpass(db->conn) : NULL;

    return password && *password && strstr(text, password);
}

static int
say(struct xivo_db *db, const char *text)
{
    char why[WHY_MAX];

    snprintf(why, sizeof why, "%s",
             holds_password(db, text) ? "(a text with the password)" : text);
    join_lines(why);
    if (strcmp(why, db->why) == 0)
        return -1;
    memcpy(db->why, why, sizeof why);
    db->host->log(db->host, XA_HOST_WARNING, "database: %s", why);
    return -1;
}

static int
say_late(struct xivo_db *db)
{
    say(db, "no answer in time");
    drop(db);
    return -1;
}

/* --- a connection -------------------------------------------------------- */

/* Wait for the socket.  0, or -1 when the time is over. */
static int
wait_for(const struct xivo_db *db, short events)
{
    struct pollfd fd = {.fd = PQsocket(db->conn), .events = events};

    for (;;) {
        int left_ms = db->host->time_left_ms(db->host) - MARGIN_MS;
        int n;

        if (left_ms <= 0)
            return -1;
        n = poll(&fd, 1, left_ms);
        if (n > 0 || (n < 0 && errno != EINTR))
            return 0; /* libpq finds out what is wrong with the socket */
    }
}

static void
be_silent(void *arg, const char *text)
{
    (void)arg;
    (void)text;
}

static PGconn *
begin_connection(const struct xivo_db *db)
{
    /* What stands before dbname, which is the whole of db_uri, it may change.
     * No certificate of ours is looked for in the home folder: it may be that
     * of root, who started us, and libpq would rather do without TLS then. */
    const char *const words[][2] = {
        {"gssencmode", "disable"},
        {"keepalives_idle", "60"},
        {"tcp_user_timeout", "1000"},
        {"sslcert", "/dev/null/none"},
        {"dbname", db->uri},
        {"options", db->session},
        {"fallback_application_name", "xivo-auth"},
        {"client_encoding", "UTF8"},
        {NULL, NULL},
    };
    const char *keys[sizeof words / sizeof *words];
    const char *values[sizeof words / sizeof *words];

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        keys[i] = words[i][0];
        values[i] = words[i][1];
    }
    return PQconnectStartParams(keys, values, 1);
}

static int
open_connection(struct xivo_db *db)
{
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;

    db->conn = begin_connection(db);
    if (!db->conn)
        return say(db, "out of memory");
    PQsetNoticeProcessor(db->conn, be_silent, NULL);
    if (PQstatus(db->conn) == CONNECTION_BAD)
        state = PGRES_POLLING_FAILED;
    while (state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED) {
        if (wait_for(db, state == PGRES_POLLING_READING ? POLLIN : POLLOUT))
            return say_late(db);
        state = PQconnectPoll(db->conn);
    }
    /* So that neither a query nor its farewell waits for a frozen server. */
    if (state == PGRES_POLLING_OK && PQsetnonblocking(db->conn, 1) == 0)
        return 0;
    say(db, PQerrorMessage(db->conn));
    drop(db);
    return -1;
}

/* --- a query ------------------------------------------------------------- */

enum outcome { ANSWERED, LATE, LOST };

static enum outcome
send_query(const struct xivo_db *db, const char *sql, const char *value)
{
    int pending;

    if (!PQsendQueryParams(db->conn, sql, value ? 1 : 0, NULL, &value, NULL,
                           NULL, 0))
        return LOST;
    while ((pending = PQflush(db->conn)) == 1) {
        if (wait_for(db, POLLIN | POLLOUT))
            return LATE;
        if (!PQconsumeInput(db->conn))
            return LOST;
    }
    return pending == 0 ? ANSWERED : LOST;
}

static enum outcome
next_result(const struct xivo_db *db, PGresult **out)
{
    while (PQisBusy(db->conn)) {
        if (wait_for(db, POLLIN))
            return LATE;
        if (!PQconsumeInput(db->conn))
            return LOST;
    }
    *out = PQgetResult(db->conn);
    return ANSWERED;
}

/* The first result, all that follow being read away; *out is set with
 * ANSWERED, and may be an error of the server. */
static enum outcome
run_query(const struct xivo_db *db, const char *sql, const char *value,
          PGresult **out)
{
    enum outcome outcome = send_query(db, sql, value);
    PGresult *first = NULL;
    PGresult *next = NULL;

    while (outcome == ANSWERED) {
        outcome = next_result(db, &next);
        if (outcome != ANSWERED || !next)
            break;
        if (first)
            PQclear(next);
        else
            first = next;
        next = NULL;
    }
    if (outcome == ANSWERED && first && PQstatus(db->conn) == CONNECTION_OK) {
        *out = first;
        return ANSWERED;
    }
    PQclear(first);
    return outcome == LATE ? LATE : LOST;
}

/* A kept connection that proves to be dead is made anew, once; to ask twice
 * does no harm, as nothing is written. */
static int
ask(struct xivo_db *db, const char *sql, const char *value, PGresult **out)
{
    int is_kept = db->conn != NULL;
    enum outcome outcome;

    for (;;) {
        if (!db->conn && open_connection(db) != 0)
            return -1;
        outcome = run_query(db, sql, value, out);
        if (outcome == ANSWERED)
            return 0;
        if (outcome == LATE)
            return say_late(db);
        if (!is_kept)
            say(db, PQerrorMessage(db->conn));
        drop(db);
        if (!is_kept)
            return -1;
        is_kept = 0;
    }
}

/* An error of the server, on a connection that goes on. */
static int
refused(struct xivo_db *db, const PGresult *result)
{
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    return say(db, text ? text : "an answer that is none");
}

/* Class 22: the value is none that this database can hold. */
static int
is_foreign_value(const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    return state && strncmp(state, "22", 2) == 0;
}

int
xivo_db_ask(struct xivo_db *db, const char *sql, const char *value,
            struct xivo_rows **out)
{
    struct xivo_rows *rows = calloc(1, sizeof *rows);

    if (!rows)
        return say(db, "out of memory");
    rows->host = db->host;
    if (ask(db, sql, value, &rows->result) != 0) {
        xivo_rows_free(&rows);
        return -1;
    }
    if (PQresultStatus(rows->result) != PGRES_TUPLES_OK &&
        !is_foreign_value(rows->result)) {
        refused(db, rows->result);
        xivo_rows_free(&rows);
        return -1;
    }
    db->why[0] = '\0';
    *out = rows;
    return 0;
}

/* libpq lends that buffer to nobody, but fills it from the start with the next
 * answer: this one is longer than any with a password. */
void
xivo_db_forget(struct xivo_db *db)
{
    PGresult *result = NULL;

    if (!db->conn)
        return;
    switch (run_query(db, "SELECT repeat(' ', 8192)", NULL, &result)) {
    case ANSWERED:
        break;
    case LATE:
        say_late(db);
        break;
    case LOST:
        drop(db);
        break;
    }
    PQclear(result);
}

size_t
xivo_rows_count(const struct xivo_rows *rows)
{
    return (size_t)PQntuples(rows->result);
}

const char *
xivo_rows_text(const struct xivo_rows *rows, size_t row, size_t column)
{
    if (PQgetisnull(rows->result, (int)row, (int)column))
        return NULL;
    return PQgetvalue(rows->result, (int)row, (int)column);
}

static void
wipe_values(const struct xivo_rows *rows)
{
    const PGresult *result = rows->result;

    for (int row = 0; row < PQntuples(result); row++)
        for (int column = 0; column < PQnfields(result); column++)
            if (!PQgetisnull(result, row, column))
                rows->host->wipe(PQgetvalue(result, row, column),
                                 (size_t)PQgetlength(result, row, column));
}

void
xivo_rows_free(struct xivo_rows **rows)
{
    struct xivo_rows *old = *rows;

    *rows = NULL;
    if (!old)
        return;
    if (old->result)
        wipe_values(old);
    PQclear(old->result);
    free(old);
}

/* --- what is asked for others -------------------------------------------- */

enum xa_verdict
xivo_db_uuid_of_email(struct xivo_db *db, const char *email,
                      char out[XIVO_DB_ID_MAX])
{
    static const char sql[] = "SELECT left(uuid::text, 257) FROM userfeatures"
                              " WHERE lower(email) = lower($1) LIMIT 2";
    enum xa_verdict verdict = XA_DENIED;
    struct xivo_rows *rows = NULL;
    const char *uuid;

    if (xivo_db_ask(db, sql, email, &rows) != 0)
        return XA_UNAVAILABLE;
    uuid = xivo_rows_count(rows) == 1 ? xivo_rows_text(rows, 0, 0) : NULL;
    if (uuid && *uuid && strlen(uuid) < XIVO_DB_ID_MAX) {
        strcpy(out, uuid);
        verdict = XA_GRANTED;
    }
    xivo_rows_free(&rows);
    return verdict;
}
