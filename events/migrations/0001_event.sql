-- The log: one row per event, written by the functions below and by nothing else.
--
-- Reading everything in order (events/fence.py) relies on three properties of this table: positions are drawn
-- by the server alone (ALWAYS), one at a time (CACHE 1), and only by statements that hold RowExclusiveLock on it.
--
-- What a row may hold is checked by the functions, and `category` is filled by them: CHECK constraints and a
-- generated column are prepared anew by each INSERT and made it cost nearly twice as much.
CREATE TABLE event (
    position       bigint      GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY,
    recorded_at    timestamptz NOT NULL,
    version        integer     NOT NULL,
    schema_version integer     NOT NULL,
    event_id       uuid        NOT NULL,
    stream_id      text        NOT NULL,
    category       text        NOT NULL,
    type           text        NOT NULL,
    data           jsonb       NOT NULL,
    meta           jsonb       NOT NULL,
    data_hash      bytea       NOT NULL,
    chain_hash     bytea       NOT NULL,
    -- These two and the primary key are all: each further index costs every append.
    CONSTRAINT event_stream_version UNIQUE (stream_id, version),
    CONSTRAINT event_event_id UNIQUE (event_id)
);
COMMENT ON TABLE event IS 'Facts, in order, for ever. Written by event_append(), event_append_many(), event_erase().';

-- Who erased which payload, when and why: the one way in which a row of the log ever changes.
CREATE TABLE event_erasure (
    event_id  uuid        PRIMARY KEY,
    erased_at timestamptz NOT NULL,
    actor     text        NOT NULL,
    reason    text        NOT NULL
);

-- Refuses what does not come from the functions. They name themselves in a setting that ends with the
-- transaction. This keeps mistakes out, even those of the table's owner, whom no REVOKE would stop; against
-- malice there are the hashes.
CREATE FUNCTION event_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_NARGS = 0 OR current_setting('events.writing', true) IS DISTINCT FROM TG_ARGV[0] THEN
        RAISE EXCEPTION '% on table "%" refused: the log is written by its functions alone', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'EV004';
    END IF;
    RETURN NULL;
END $$;

-- Per statement, not per row: a thousand events are checked once.
CREATE TRIGGER event_guard_insert BEFORE INSERT ON event
    FOR EACH STATEMENT EXECUTE FUNCTION event_guard('append');
CREATE TRIGGER event_guard_update BEFORE UPDATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION event_guard('erase');
CREATE TRIGGER event_guard_delete BEFORE DELETE OR TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION event_guard();
CREATE TRIGGER event_erasure_guard_insert BEFORE INSERT ON event_erasure
    FOR EACH STATEMENT EXECUTE FUNCTION event_guard('erase');
CREATE TRIGGER event_erasure_guard_change BEFORE UPDATE OR DELETE OR TRUNCATE ON event_erasure
    FOR EACH STATEMENT EXECUTE FUNCTION event_guard();

-- Append to one stream. p_expected: NULL any version, 0 no stream yet, n exactly n.
--
-- A conflict is an answer, not an error, so that it costs the caller's transaction nothing. `outcome` is
--   appended          one row per event, in order
--   replayed          the same ids were recorded before, with the same content: one row per event of then
--   version conflict  one row; `version` is the actual one
--   id conflict       one row per id that is taken by something else
-- It must run in READ COMMITTED: each statement inside has to see what was committed just before it.
CREATE FUNCTION event_append(
    p_stream text, p_expected bigint, p_ids uuid[], p_types text[], p_schemas integer[], p_data text[], p_meta text
) RETURNS TABLE (
    outcome text, "position" bigint, version integer, event_id uuid, recorded_at timestamptz,
    data text, data_hash bytea, chain_hash bytea
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_count   integer := cardinality(p_ids);
    v_meta    jsonb   := p_meta;
    v_stream  bytea   := convert_to(p_stream, 'UTF8');
    v_kind    text    := split_part(p_stream, '-', 1);
    v_type    bytea;
    v_json    jsonb[];
    v_text    text[];
    v_hashes  bytea[];
    v_chains  bytea[];
    v_version integer;
    v_chain   bytea;
    v_now     timestamptz;
    v_first   bigint;
    v_rest    bigint;
BEGIN
    IF v_count = 0 OR v_count > 1000 THEN
        RAISE EXCEPTION '% events in one append; 1 to 1,000 are allowed', v_count USING ERRCODE = 'EV003';
    END IF;
    IF (cardinality(p_types), cardinality(p_schemas), cardinality(p_data)) <> (v_count, v_count, v_count) THEN
        RAISE EXCEPTION 'ids, types, schema versions and data differ in number' USING ERRCODE = 'EV003';
    END IF;
    IF p_stream = '' OR length(p_stream) > 255 THEN
        RAISE EXCEPTION 'a stream id of % characters; 1 to 255 are allowed', length(p_stream) USING ERRCODE = 'EV003';
    END IF;
    IF octet_length(p_meta) > 8192 OR jsonb_typeof(v_meta) <> 'object' THEN
        RAISE EXCEPTION 'metadata of % bytes; an object of 8,192 is allowed', octet_length(p_meta)
            USING ERRCODE = 'EV003';
    END IF;
    FOR i IN 1 .. v_count LOOP
        IF octet_length(p_data[i]) > 65536 THEN
            RAISE EXCEPTION 'data of % bytes in %; 65,536 are allowed', octet_length(p_data[i]), p_types[i]
                USING ERRCODE = 'EV003';
        END IF;
        IF p_types[i] = '' OR length(p_types[i]) > 255 OR p_schemas[i] < 1 THEN
            RAISE EXCEPTION 'type "%", schema version %: 1 to 255 characters, and versions from 1, are allowed',
                p_types[i], p_schemas[i] USING ERRCODE = 'EV003';
        END IF;
        v_json[i] := p_data[i]::jsonb;
        IF jsonb_typeof(v_json[i]) <> 'object' OR v_json[i] ? '$erased' THEN
            RAISE EXCEPTION 'data are an object; the key "$erased" in it is the tombstone''s own; no other is allowed'
                USING ERRCODE = 'EV003';
        END IF;
        -- Canonical is jsonb's own text: keys ordered and single, numbers normal, one form for one value.
        v_text[i] := v_json[i]::text;
        v_hashes[i] := sha256(convert_to(v_text[i], 'UTF8'));
    END LOOP;

    IF p_expected IS NULL THEN
        -- Writers to one stream queue up here, before they draw a position: stream order is position order.
        PERFORM pg_advisory_xact_lock(hashtextextended(p_stream, 7305112));
    END IF;
    LOOP
        SELECT e.version, e.chain_hash INTO v_version, v_chain
            FROM event e WHERE e.stream_id = p_stream ORDER BY e.version DESC LIMIT 1;
        v_version := coalesce(v_version, 0);
        v_chain := coalesce(v_chain, '\x0000000000000000000000000000000000000000000000000000000000000000'::bytea);
        EXIT WHEN v_version <> p_expected;
        EXIT WHEN v_count > 1 AND EXISTS (SELECT FROM event e WHERE e.event_id = ANY (p_ids));

        -- Every part has a fixed length or is preceded by it, so no two events spell the same bytes.
        FOR i IN 1 .. v_count LOOP
            v_type := convert_to(p_types[i] || '.v' || p_schemas[i], 'UTF8');
            v_chain := sha256(
                v_chain || int4send(octet_length(v_stream)) || v_stream || int8send(v_version + i)
                || int4send(octet_length(v_type)) || v_type || uuid_send(p_ids[i]) || v_hashes[i]
            );
            v_chains[i] := v_chain;
        END LOOP;

        v_now := clock_timestamp();
        PERFORM set_config('events.writing', 'append', true);
        -- ON CONFLICT waits for a racing writer as the index would, but a lost race is no error: nothing is
        -- undone and no subtransaction is needed. The first event goes in alone: whoever holds the first
        -- version holds the following ones too.
        INSERT INTO event (
                recorded_at, version, schema_version, event_id, stream_id, category, type, data, meta,
                data_hash, chain_hash
            )
            VALUES (
                v_now, v_version + 1, p_schemas[1], p_ids[1], p_stream, v_kind, p_types[1], v_json[1], v_meta,
                v_hashes[1], v_chains[1]
            )
            ON CONFLICT DO NOTHING
            RETURNING position INTO v_first;
        IF v_first IS NOT NULL THEN
            outcome := 'appended'; "position" := v_first; version := v_version + 1; event_id := p_ids[1];
            recorded_at := v_now; data := v_text[1]; data_hash := v_hashes[1]; chain_hash := v_chains[1];
            RETURN NEXT;
            IF v_count > 1 THEN
                RETURN QUERY
                    WITH written AS (
                        INSERT INTO event (
                                recorded_at, version, schema_version, event_id, stream_id, category, type, data, meta,
                                data_hash, chain_hash
                            )
                            SELECT v_now, v_version + n, p_schemas[n], p_ids[n], p_stream, v_kind, p_types[n],
                                   v_json[n], v_meta, v_hashes[n], v_chains[n]
                            FROM generate_series(2, v_count) AS n ORDER BY n
                            ON CONFLICT DO NOTHING
                            RETURNING position, version
                    )
                    SELECT 'appended', w.position, w.version, p_ids[w.version - v_version], v_now,
                           v_text[w.version - v_version], v_hashes[w.version - v_version], v_chains[w.version - v_version]
                    FROM written w ORDER BY w.version;
                GET DIAGNOSTICS v_rest = ROW_COUNT;
                IF v_rest <> v_count - 1 THEN
                    RAISE EXCEPTION 'stream %: an event id is already used for something else', p_stream
                        USING ERRCODE = 'EV002', DETAIL = json_build_object('stream', p_stream, 'ids', p_ids)::text;
                END IF;
            END IF;
            PERFORM set_config('events.writing', '', true);
            RETURN;
        END IF;
        PERFORM set_config('events.writing', '', true);
        EXIT WHEN p_expected IS NOT NULL OR EXISTS (SELECT FROM event e WHERE e.event_id = p_ids[1]);
        -- In "any" mode, a writer that named its version came in between. Once more, on top of what it wrote.
    END LOOP;

    -- Nothing was written. Either these events are there already, or something else is in their place.
    RETURN QUERY
        WITH found AS (
            SELECT e.*, n.i,
                   e.stream_id = p_stream AND e.type = p_types[n.i] AND e.schema_version = p_schemas[n.i]
                       AND e.data_hash = v_hashes[n.i] AS same
            FROM unnest(p_ids) WITH ORDINALITY AS n (id, i) JOIN event e ON e.event_id = n.id
        ), summary AS (
            SELECT count(*) = v_count AND bool_and(same) AND count(DISTINCT version - i) = 1 AS replayed FROM found
        )
        SELECT CASE WHEN s.replayed THEN 'replayed' ELSE 'id conflict' END,
               f.position, f.version, f.event_id, f.recorded_at, f.data::text, f.data_hash, f.chain_hash
        FROM found f CROSS JOIN summary s
        -- A conflict names the ids at fault; when each by itself is the same, the whole is (part or order differs).
        WHERE s.replayed OR NOT f.same OR NOT EXISTS (SELECT FROM found WHERE NOT same)
        ORDER BY f.i;
    IF NOT FOUND THEN
        RETURN QUERY
            SELECT 'version conflict', NULL::bigint,
                   coalesce((SELECT max(e.version) FROM event e WHERE e.stream_id = p_stream), 0),
                   NULL::uuid, NULL::timestamptz, NULL::text, NULL::bytea, NULL::bytea;
    END IF;
END $$;

-- One event to one stream: what most appends are, without arrays and loops, for two thirds of the time. Whatever
-- is not plain sailing (a limit, a conflict, a replay, a lost race) is left to event_append, which answers for both.
CREATE FUNCTION event_append_one(
    p_stream text, p_expected bigint, p_id uuid, p_type text, p_schema integer, p_data text, p_meta text,
    OUT outcome text, OUT "position" bigint, OUT version integer, OUT event_id uuid, OUT recorded_at timestamptz,
    OUT data text, OUT data_hash bytea, OUT chain_hash bytea
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_json    jsonb   := p_data;
    v_meta    jsonb   := p_meta;
    v_stream  bytea   := convert_to(p_stream, 'UTF8');
    v_type    bytea   := convert_to(p_type || '.v' || p_schema, 'UTF8');
    v_version integer := 0;
    v_chain   bytea   := '\x0000000000000000000000000000000000000000000000000000000000000000';
    v_last    record;
BEGIN
    IF p_stream <> '' AND length(p_stream) <= 255 AND p_type <> '' AND length(p_type) <= 255 AND p_schema > 0
        AND octet_length(p_data) <= 65536 AND octet_length(p_meta) <= 8192
        AND jsonb_typeof(v_json) = 'object' AND jsonb_typeof(v_meta) = 'object' AND NOT v_json ? '$erased'
    THEN
        IF p_expected IS NULL THEN
            PERFORM pg_advisory_xact_lock(hashtextextended(p_stream, 7305112));
        END IF;
        -- Whether a stream that must be new is new, its first version's place in the index tells.
        IF p_expected IS DISTINCT FROM 0 THEN
            SELECT e.version, e.chain_hash INTO v_last
                FROM event e WHERE e.stream_id = p_stream ORDER BY e.version DESC LIMIT 1;
            v_version := coalesce(v_last.version, 0);
            v_chain := coalesce(v_last.chain_hash, v_chain);
        END IF;
        IF p_expected IS NULL OR v_version = p_expected THEN
            version := v_version + 1;
            data := v_json;
            data_hash := sha256(convert_to(data, 'UTF8'));
            chain_hash := sha256(
                v_chain || int4send(octet_length(v_stream)) || v_stream || int8send(version)
                || int4send(octet_length(v_type)) || v_type || uuid_send(p_id) || data_hash
            );
            recorded_at := clock_timestamp();
            PERFORM set_config('events.writing', 'append', true);
            INSERT INTO event AS e (
                    recorded_at, version, schema_version, event_id, stream_id, category, type, data, meta,
                    data_hash, chain_hash
                )
                VALUES (
                    recorded_at, version, p_schema, p_id, p_stream, split_part(p_stream, '-', 1), p_type,
                    v_json, v_meta, data_hash, chain_hash
                )
                ON CONFLICT DO NOTHING
                RETURNING e.position INTO "position";
            PERFORM set_config('events.writing', '', true);
            IF "position" IS NOT NULL THEN
                outcome := 'appended';
                event_id := p_id;
                RETURN;
            END IF;
        END IF;
    END IF;
    SELECT * INTO outcome, "position", version, event_id, recorded_at, data, data_hash, chain_hash
        FROM event_append(p_stream, p_expected, ARRAY[p_id], ARRAY[p_type], ARRAY[p_schema], ARRAY[p_data], p_meta);
END $$;

-- Append to several streams, all or nothing. The streams are taken in one fixed order, so that two calls
-- cannot deadlock; positions follow that order. Events are given flat: p_counts says how many for each stream.
-- Here a conflict is an error (EV001 or EV002 with a JSON detail): other streams may have been written by then.
CREATE FUNCTION event_append_many(
    p_streams text[], p_expected bigint[], p_counts integer[],
    p_ids uuid[], p_types text[], p_schemas integer[], p_data text[], p_meta text
) RETURNS TABLE (
    part integer, outcome text, "position" bigint, version integer, event_id uuid, recorded_at timestamptz,
    data text, data_hash bytea, chain_hash bytea
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_part record;
    v_row  record;
BEGIN
    IF cardinality(p_ids) > 1000 THEN
        RAISE EXCEPTION '% events in one append; 1 to 1,000 are allowed', cardinality(p_ids) USING ERRCODE = 'EV003';
    END IF;
    IF (SELECT count(DISTINCT s) <> count(*) FROM unnest(p_streams) s) THEN
        RAISE EXCEPTION 'a stream is named twice in one append' USING ERRCODE = 'EV003';
    END IF;
    FOR v_part IN
        SELECT n::integer AS part, stream, expected, from_event + 1 AS low, from_event + count AS high
        FROM (
            SELECT n, stream, expected, count, sum(count) OVER (ORDER BY n) - count AS from_event
            FROM unnest(p_streams, p_expected, p_counts) WITH ORDINALITY AS u (stream, expected, count, n)
        ) AS parts
        ORDER BY stream COLLATE "C"
    LOOP
        FOR v_row IN
            SELECT * FROM event_append(
                v_part.stream, v_part.expected, p_ids[v_part.low : v_part.high], p_types[v_part.low : v_part.high],
                p_schemas[v_part.low : v_part.high], p_data[v_part.low : v_part.high], p_meta
            )
        LOOP
            CASE v_row.outcome
                WHEN 'version conflict' THEN
                    RAISE EXCEPTION 'stream % is at version %, not at %', v_part.stream, v_row.version, v_part.expected
                        USING ERRCODE = 'EV001', DETAIL = json_build_object(
                            'stream', v_part.stream, 'expected', v_part.expected, 'actual', v_row.version)::text;
                WHEN 'id conflict' THEN
                    RAISE EXCEPTION 'stream %: event id % is already used for something else', v_part.stream, v_row.event_id
                        USING ERRCODE = 'EV002', DETAIL = json_build_object(
                            'stream', v_part.stream, 'ids', json_build_array(v_row.event_id))::text;
                ELSE
                    part := v_part.part; outcome := v_row.outcome; "position" := v_row.position;
                    version := v_row.version; event_id := v_row.event_id; recorded_at := v_row.recorded_at;
                    data := v_row.data; data_hash := v_row.data_hash; chain_hash := v_row.chain_hash;
                    RETURN NEXT;
            END CASE;
        END LOOP;
    END LOOP;
END $$;

-- Erase the data of events for good. Their hashes stay, so every chain still verifies; who, when and why stays
-- too. Erasing twice is harmless. Returns how many were erased by this call.
CREATE FUNCTION event_erase(p_ids uuid[], p_actor text, p_reason text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_missing uuid[];
    v_erased  uuid[];
BEGIN
    IF p_actor = '' OR p_reason = '' THEN
        RAISE EXCEPTION 'an erasure names its actor and its reason' USING ERRCODE = 'EV005';
    END IF;
    SELECT array_agg(id) INTO v_missing FROM unnest(p_ids) id
        WHERE NOT EXISTS (SELECT FROM event e WHERE e.event_id = id);
    IF v_missing IS NOT NULL THEN
        RAISE EXCEPTION 'no such event: %', array_to_string(v_missing, ', ') USING ERRCODE = 'EV005';
    END IF;
    PERFORM set_config('events.writing', 'erase', true);
    -- Locked in order, so that two erasures of the same events cannot deadlock; looked at again once locked.
    WITH wanted AS (
        SELECT e.position FROM event e
        WHERE e.event_id = ANY (p_ids) AND e.data <> '{"$erased": true}' ORDER BY e.position FOR UPDATE
    ), changed AS (
        UPDATE event e SET data = '{"$erased": true}' FROM wanted w WHERE e.position = w.position
        RETURNING e.event_id
    )
    SELECT coalesce(array_agg(event_id), '{}') INTO v_erased FROM changed;
    INSERT INTO event_erasure (event_id, erased_at, actor, reason)
        SELECT id, clock_timestamp(), p_actor, p_reason FROM unnest(v_erased) id;
    PERFORM set_config('events.writing', '', true);
    RETURN cardinality(v_erased);
END $$;
