-- Seals: for each 10,000 positions that hold events, one hash over all their events, tied to the seal before it.
--
-- A stream's own chain does not show that its end was cut off, or a whole stream taken away; a seal does. It also
-- covers what the chains leave out: the position, the time and the metadata. Data are covered by their hash
-- alone, which an erasure leaves in place.
CREATE TABLE event_seal (
    number         bigint      PRIMARY KEY,
    first_position bigint      NOT NULL,
    last_position  bigint      NOT NULL,
    events         integer     NOT NULL,
    previous_root  bytea       NOT NULL,
    root           bytea       NOT NULL,
    sealed_at      timestamptz NOT NULL
);
COMMENT ON TABLE event_seal IS 'One hash for each block of positions of the log. Written by event_seal_up_to().';

CREATE TRIGGER event_seal_guard_insert BEFORE INSERT ON event_seal
    FOR EACH STATEMENT EXECUTE FUNCTION event_guard('seal');
CREATE TRIGGER event_seal_guard_change BEFORE UPDATE OR DELETE OR TRUNCATE ON event_seal
    FOR EACH STATEMENT EXECUTE FUNCTION event_guard();

-- Seal every block that is complete, given a position up to which the log is final. Returns how many.
-- A block ends at a multiple of 10,000; positions without events before it belong to it.
CREATE FUNCTION event_seal_up_to(p_final bigint) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_seal   event_seal;
    v_first  bigint;
    v_last   bigint;
    v_next   bigint;
    v_count  bigint;
    v_leaves bytea;
    v_sealed integer := 0;
BEGIN
    LOOP
        SELECT * INTO v_seal FROM event_seal s ORDER BY s.number DESC LIMIT 1;
        v_first := coalesce(v_seal.last_position, 0) + 1;
        SELECT e.position INTO v_next FROM event e WHERE e.position >= v_first ORDER BY e.position LIMIT 1;
        v_last := ((v_next - 1) / 10000 + 1) * 10000;
        EXIT WHEN v_next IS NULL OR v_last > p_final;
        SELECT count(*), string_agg(
                int8send(e.position) || int8send((extract(epoch FROM e.recorded_at) * 1000000)::bigint)
                || sha256(convert_to(e.meta::text, 'UTF8')) || e.chain_hash, ''::bytea ORDER BY e.position)
            INTO v_count, v_leaves
            FROM event e WHERE e.position BETWEEN v_first AND v_last;
        v_seal.number := coalesce(v_seal.number, 0) + 1;
        v_seal.previous_root := coalesce(v_seal.root, '\x0000000000000000000000000000000000000000000000000000000000000000');
        PERFORM set_config('events.writing', 'seal', true);
        INSERT INTO event_seal (number, first_position, last_position, events, previous_root, root, sealed_at)
            VALUES (
                v_seal.number, v_first, v_last, v_count, v_seal.previous_root,
                sha256(v_seal.previous_root || int8send(v_seal.number) || int8send(v_first) || int8send(v_last)
                       || int8send(v_count) || sha256(v_leaves)),
                clock_timestamp()
            );
        PERFORM set_config('events.writing', '', true);
        v_sealed := v_sealed + 1;
    END LOOP;
    RETURN v_sealed;
END $$;
