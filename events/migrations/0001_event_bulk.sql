-- Appending for imports: COPY puts new events into a table of the session's own, and one statement moves them into
-- the log, with the guarantees of event_append: versions, ids, hashes, chains, limits, order.

-- The hash of an event's data, as event_append computes it. How long the data were as they were sent is not known
-- here any more, and is for Python to check; what is absurdly long in jsonb's own form is refused.
CREATE FUNCTION event_data_hash(p_data jsonb) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_raw bytea := convert_to(p_data::text, 'UTF8');
BEGIN
    IF octet_length(v_raw) > 1048576 THEN
        RAISE EXCEPTION 'data of % bytes; not so many are allowed', octet_length(v_raw) USING ERRCODE = 'EV003';
    END IF;
    RETURN sha256(v_raw);
END $$;

-- Makes the session's own table, or empties it. It ends with the transaction.
--   number    of the stream in this call, in the byte order of the streams' ids
--   expected  version of the stream: NULL any version, 0 no stream yet, n exactly n
--   ordinal   of the event among those of its stream in this call, from 1
-- Hashes are computed while COPY still waits for the client, which is slower at encoding than the server at this.
CREATE FUNCTION event_bulk_open() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('pg_temp.event_incoming') IS NOT NULL THEN
        TRUNCATE pg_temp.event_incoming;
        RETURN;
    END IF;
    CREATE TEMP TABLE event_incoming (
        number integer NOT NULL, stream_id text NOT NULL, expected bigint, ordinal integer NOT NULL,
        event_id uuid NOT NULL, type text NOT NULL, schema_version integer NOT NULL, data jsonb NOT NULL,
        data_hash bytea GENERATED ALWAYS AS (event_data_hash(data)) STORED
    ) ON COMMIT DROP;
END $$;

-- An error inside an expression.
CREATE FUNCTION event_refuse(p_code text, p_why text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', p_why USING ERRCODE = p_code;
END $$;

-- The chain as an aggregate over a window, so that one pass reaches every event of every stream.
CREATE FUNCTION event_chain_link(p_before bytea, p_start bytea, p_link bytea) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN sha256(coalesce(p_before, p_start) || p_link);
END $$;
CREATE AGGREGATE event_chain(bytea, bytea) (SFUNC = event_chain_link, STYPE = bytea);

-- Move what event_incoming holds into the log: all of it or, by an error (EV001, EV002, EV003), nothing. Streams
-- whose events are there already, with the same content, are named in `replayed`, and leave event_incoming.
--
-- It hopes for the best: expected versions of 0 and fresh ids are checked by the indexes alone, and only when
-- something is in the way is each stream looked at. Where event_append in "any" mode waits for others before it
-- draws positions, this one draws new ones after a lost race; so here too stream order is position order.
CREATE FUNCTION event_append_bulk(p_meta text, OUT appended integer, OUT replayed text[])
LANGUAGE plpgsql SET work_mem = '32MB' AS $$
#variable_conflict use_column
DECLARE
    v_zero  bytea   := '\x0000000000000000000000000000000000000000000000000000000000000000';
    v_meta  jsonb   := p_meta;
    v_now   timestamptz;
    v_tries integer := 0;
BEGIN
    IF octet_length(p_meta) > 8192 OR jsonb_typeof(v_meta) <> 'object' THEN
        PERFORM event_refuse('EV003', 'metadata of more than the 8,192 bytes that are allowed, or no object');
    END IF;
    replayed := '{}';
    LOOP
        BEGIN
            v_now := clock_timestamp();
            PERFORM set_config('events.writing', 'append', true);
            INSERT INTO event (
                recorded_at, version, schema_version, event_id, stream_id, category, type, data, meta,
                data_hash, chain_hash
            )
            WITH base AS MATERIALIZED (
                SELECT s.number, coalesce(last.version, 0) AS version, coalesce(last.chain_hash, v_zero) AS chain_hash
                FROM (
                    SELECT DISTINCT number, stream_id, expected FROM pg_temp.event_incoming
                    WHERE expected IS DISTINCT FROM 0
                ) AS s LEFT JOIN LATERAL (
                    SELECT e.version, e.chain_hash FROM event e
                    WHERE e.stream_id = s.stream_id ORDER BY e.version DESC LIMIT 1
                ) AS last ON true
                WHERE s.expected IS NULL OR s.expected = coalesce(last.version, 0)
                    OR event_refuse('EV001', 'another version than expected')
            -- OFFSET 0: this level is computed once, however often the next one uses it.
            ), incoming AS (
                SELECT i.*, coalesce(b.version, 0) + i.ordinal AS version, coalesce(b.chain_hash, v_zero) AS start,
                       convert_to(i.stream_id, 'UTF8') AS stream_raw,
                       convert_to(i.type || '.v' || i.schema_version, 'UTF8') AS type_raw
                FROM pg_temp.event_incoming i LEFT JOIN base b ON b.number = i.number
                WHERE (i.stream_id <> '' AND length(i.stream_id) <= 255 AND i.type <> '' AND length(i.type) <= 255
                       AND i.schema_version > 0 AND jsonb_typeof(i.data) = 'object' AND NOT i.data ? '$erased')
                    OR event_refuse('EV003', format('an event of %s that is not allowed: a name of 1 to 255 characters, '
                        'schema versions from 1, and an object of data without the key "$erased" are', i.stream_id))
                OFFSET 0
            )
            SELECT v_now, i.version, i.schema_version, i.event_id, i.stream_id, split_part(i.stream_id, '-', 1), i.type,
                   i.data, v_meta, i.data_hash,
                   event_chain(
                       i.start,
                       int4send(octet_length(i.stream_raw)) || i.stream_raw || int8send(i.version)
                       || int4send(octet_length(i.type_raw)) || i.type_raw || uuid_send(i.event_id) || i.data_hash
                   ) OVER (PARTITION BY i.number ORDER BY i.ordinal ROWS UNBOUNDED PRECEDING)
            FROM incoming i ORDER BY i.number, i.ordinal;
            GET DIAGNOSTICS appended = ROW_COUNT;
            PERFORM set_config('events.writing', '', true);
            RETURN;
        EXCEPTION WHEN unique_violation OR SQLSTATE 'EV001' THEN
            -- All of this try is undone, and the next statement sees what was in its way.
            v_tries := v_tries + 1;
        END;
        replayed := replayed || event_bulk_settle();
        IF v_tries = 3 THEN
            -- Others were faster three times: they wait now.
            LOCK TABLE event IN SHARE ROW EXCLUSIVE MODE;
        END IF;
    END LOOP;
END $$;

-- Look at each stream of event_incoming: those that were recorded before leave it, and are the answer; a conflict
-- is an error. What is left may be tried again.
CREATE FUNCTION event_bulk_settle() RETURNS text[] LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_replayed text[] := '{}';
    v_stream   record;
BEGIN
    FOR v_stream IN
        WITH found AS (
            SELECT i.number, i.stream_id, i.expected, i.ordinal, i.event_id, e.version,
                   count(*) OVER (PARTITION BY i.event_id) > 1 AS twice,
                   e.stream_id = i.stream_id AND e.type = i.type AND e.schema_version = i.schema_version
                       AND e.data_hash = i.data_hash AS same
            FROM pg_temp.event_incoming i LEFT JOIN event e ON e.event_id = i.event_id
        )
        SELECT f.stream_id, f.expected, bool_or(f.twice) AS twice, count(f.version) AS taken,
               count(f.version) = count(*) AND bool_and(f.same) AND count(DISTINCT f.version - f.ordinal) = 1 AS replayed,
               -- The ids at fault; when each by itself is the same, the whole is.
               coalesce(
                   json_agg(f.event_id ORDER BY f.ordinal) FILTER (WHERE f.twice OR NOT f.same),
                   json_agg(f.event_id ORDER BY f.ordinal) FILTER (WHERE f.version IS NOT NULL)
               ) AS at_fault,
               coalesce((SELECT max(e.version) FROM event e WHERE e.stream_id = f.stream_id), 0) AS actual
        FROM found f GROUP BY f.number, f.stream_id, f.expected ORDER BY f.number
    LOOP
        IF v_stream.twice OR (v_stream.taken > 0 AND NOT v_stream.replayed) THEN
            RAISE EXCEPTION 'stream %: event ids already used for something else: %', v_stream.stream_id, v_stream.at_fault
                USING ERRCODE = 'EV002', DETAIL = json_build_object(
                    'stream', v_stream.stream_id, 'ids', v_stream.at_fault)::text;
        ELSIF v_stream.replayed THEN
            v_replayed := v_replayed || v_stream.stream_id;
        ELSIF v_stream.expected <> v_stream.actual THEN
            RAISE EXCEPTION 'stream % is at version %, not at %', v_stream.stream_id, v_stream.actual, v_stream.expected
                USING ERRCODE = 'EV001', DETAIL = json_build_object(
                    'stream', v_stream.stream_id, 'expected', v_stream.expected, 'actual', v_stream.actual)::text;
        END IF;
    END LOOP;
    DELETE FROM pg_temp.event_incoming WHERE stream_id = ANY (v_replayed);
    RETURN v_replayed;
END $$;
