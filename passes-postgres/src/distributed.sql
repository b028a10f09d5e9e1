-- Where the server has the Citus extension and the host asks for it: every table is distributed by its business, all in
-- one group, so that what belongs to a business is on one node. This is done once, behind the migrations.

-- Numbers of a business are those of the transactions of the node where it is. This row tells of which node, and what is
-- added to them there. A business that comes to another node goes on above the numbers that it has.
CREATE TABLE passes.home (
    business uuid PRIMARY KEY,
    node int8 NOT NULL,
    base int8 NOT NULL
);

SELECT create_distributed_table('passes.operation', 'business', colocate_with => 'none');
SELECT create_distributed_table('passes.' || name, 'business', colocate_with => 'passes.operation')
    FROM unnest(ARRAY['entry', 'opkey', 'pass', 'code', 'credit', 'doc', 'tally', 'home']) WITH ORDINALITY AS t(name, nth)
    ORDER BY nth;
-- What was there before was copied to the nodes.
SELECT truncate_local_data_after_distributing_table(('passes.' || name)::regclass)
    FROM unnest(ARRAY['operation', 'entry', 'opkey', 'pass', 'code', 'credit', 'doc', 'tally']) AS t(name);

-- The table of this business on this node. A commit first keeps the shards of the business where they are: who moves them
-- waits for the commit, or the commit for the move, and then goes to where they are by then.
CREATE FUNCTION passes.shard(business uuid, keep boolean) RETURNS int8 LANGUAGE plpgsql AS $$
DECLARE
    shard int8 := get_shard_id_for_distribution_column('passes.operation', business);
BEGIN
    IF keep THEN
        PERFORM lock_shard_metadata(5, ARRAY[shard]);
    END IF;
    PERFORM FROM pg_dist_placement p, pg_dist_local_group g
        WHERE p.shardid = shard AND p.groupid = g.groupid AND p.shardstate = 1;
    IF NOT FOUND THEN
        RAISE 'the business is on another node' USING ERRCODE = CASE WHEN keep THEN '40001' ELSE '55P03' END;
    END IF;
    RETURN shard;
END $$;

-- A statement over the tables of a business on this node: `passes.pass` becomes `passes.pass_102040`.
CREATE FUNCTION passes.local(business uuid, statement text) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['operation', 'entry', 'opkey', 'pass', 'code', 'credit', 'doc', 'tally', 'home'] LOOP
        statement := regexp_replace(statement, '\mpasses\.' || name || '\M', 'passes.' || name || '_'
            || get_shard_id_for_distribution_column(('passes.' || name)::regclass, business), 'g');
    END LOOP;
    RETURN statement;
END $$;

-- The server that this is, as far as its transactions' numbers go.
CREATE FUNCTION passes.node() RETURNS int8 LANGUAGE plpgsql AS $$
DECLARE
    node text := current_setting('passes.node', true);
BEGIN
    IF node IS NULL OR node = '' THEN
        SELECT system_identifier::text INTO node FROM pg_control_system();
        PERFORM set_config('passes.node', node, false);
    END IF;
    RETURN node::int8;
END $$;

-- What a statement is prepared as, for the shards of a business. It is prepared if its text is given and it isn't there;
-- one that is for once is prepared each time, and planned for its parameters.
CREATE FUNCTION passes.ready(business uuid, name text, keep boolean, types text, statement text) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    shard int8 := passes.shard(business, keep);
    once boolean := name = 'passes_once';
    old text;
BEGIN
    PERFORM passes.node();
    IF NOT once THEN
        name := name || '_' || shard;
    END IF;
    IF statement IS NULL THEN
        RETURN name;
    END IF;
    IF EXISTS (SELECT FROM pg_prepared_statements p WHERE p.name = ready.name) THEN
        IF NOT once THEN
            RETURN name;
        END IF;
        DEALLOCATE passes_once;
    END IF;
    -- Each shard has its own, and each takes room.
    IF (SELECT count(*) FROM pg_prepared_statements) >= 512 THEN
        FOR old IN SELECT p.name FROM pg_prepared_statements p WHERE p.name LIKE 'passes\_%' LOOP
            EXECUTE 'DEALLOCATE ' || old;
        END LOOP;
    END IF;
    IF once THEN
        PERFORM set_config('plan_cache_mode', 'force_custom_plan', true);
    END IF;
    EXECUTE 'PREPARE ' || name || CASE types WHEN '' THEN '' ELSE '(' || types || ')' END || ' AS '
        || passes.local(business, statement);
    RETURN name;
END $$;

-- What is answered when a statement fails: rows of the same columns. An error would cost the line to the node, and with
-- it all that is prepared there.
CREATE FUNCTION passes.failed(INOUT state text, INOUT said text, name text) LANGUAGE plpgsql AS $$
BEGIN
    IF name IS NULL THEN
        -- It hasn't come as far as that.
        RETURN;
    ELSIF NOT EXISTS (SELECT FROM pg_prepared_statements p WHERE p.name = failed.name) THEN
        -- Its text is to be sent along.
        state := '26000';
    ELSIF state = '0A000' THEN
        -- A table has changed since.
        EXECUTE 'DEALLOCATE ' || name;
        state := '26000';
    END IF;
END $$;

-- Numbers begin above what the business has; so it is on whichever node.
CREATE FUNCTION passes.settle(business uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE passes.local(business, 'INSERT INTO passes.home AS h
        SELECT $1, $2, greatest(0, ((coalesce((SELECT number + entries FROM passes.operation WHERE business = $1
            ORDER BY number DESC LIMIT 1), 0) >> 16) + 1 - pg_snapshot_xmin(pg_current_snapshot())::text::int8) << 16)
        ON CONFLICT (business) DO UPDATE SET node = excluded.node, base = excluded.base WHERE h.node <> excluded.node')
        USING business, passes.node();
END $$;

-- What `passes.home` lacks is an error of its own.
CREATE FUNCTION passes.homeless() RETURNS int8 LANGUAGE plpgsql AS $$
BEGIN
    RAISE 'the business is new on this node' USING ERRCODE = 'PAS01';
END $$;

-- Runs what commits: a statement that was prepared here by this name, or is now. `args` are its parameters as SQL. A failure
-- is a row of t -1, whose v spells its SQLSTATE and text.
CREATE FUNCTION passes.commit(business uuid, name text, args text, types text DEFAULT NULL, statement text DEFAULT NULL)
    RETURNS TABLE (t int8, base int8, ok int4, parents float8, v int8[]) LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off SET lock_timeout = '30s'
    SET citus.enable_manual_changes_to_shards = on AS $$
DECLARE
    r record;
    called text;
    told text;
BEGIN
    FOR attempt IN 1..2 LOOP
        BEGIN
            called := passes.ready(business, name, true, types, statement);
            FOR r IN EXECUTE 'EXECUTE ' || called || '(' || args || ')' LOOP
                t := r.t; base := r.base; ok := r.ok; parents := r.parents; v := r.v;
                RETURN NEXT;
            END LOOP;
            RETURN;
        EXCEPTION
            WHEN SQLSTATE 'PAS01' THEN
                PERFORM passes.settle(business);
            WHEN OTHERS THEN
                SELECT f.state || f.said INTO told FROM passes.failed(SQLSTATE, SQLERRM, called) f;
                t := -1;
                v := ARRAY(SELECT ascii(c) FROM regexp_split_to_table(told, '') WITH ORDINALITY AS s(c, n) ORDER BY n);
                RETURN NEXT;
                RETURN;
        END;
    END LOOP;
END $$;

-- Runs what only reads, likewise. A failure is a row of kind -1.
CREATE FUNCTION passes.read(business uuid, name text, args text, types text DEFAULT NULL, statement text DEFAULT NULL)
    RETURNS TABLE (kind int8, n0 int8, n1 int8, n2 int8, n3 int8, n4 int8, n5 int8, n6 int8, n7 int8, n8 int8, n9 int8,
        n10 int8, n11 int8, n12 int8, n13 int8, n14 int8, n15 int8, n16 int8, n17 int8, b0 bytea, b1 bytea, b2 bytea,
        b3 bytea, b4 bytea, s0 text, s1 text, s2 text, s3 text, a int8[]) LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off SET lock_timeout = '30s' AS $$
DECLARE
    called text;
BEGIN
    called := passes.ready(business, name, false, types, statement);
    RETURN QUERY EXECUTE 'EXECUTE ' || called || '(' || args || ')';
EXCEPTION WHEN OTHERS THEN
    kind := -1;
    SELECT f.state, f.said INTO s0, s1 FROM passes.failed(SQLSTATE, SQLERRM, called) f;
    IF s0 = '42P01' THEN
        -- A shard left at this moment.
        s0 := '55P03';
    END IF;
    RETURN NEXT;
END $$;

SELECT create_distributed_function(('passes.' || name)::regprocedure) FROM unnest(ARRAY['shard(uuid,boolean)', 'local(uuid,text)', 'node()',
    'ready(uuid,text,boolean,text,text)', 'failed(text,text,text)', 'settle(uuid)', 'homeless()']) AS f(name);
SELECT create_distributed_function(('passes.' || name || '(uuid,text,text,text,text)')::regprocedure, '$1',
    colocate_with => 'passes.operation', force_delegation => true) FROM unnest(ARRAY['commit', 'read']) AS f(name);
