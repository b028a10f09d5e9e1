-- Business first in every key: all that belongs to one lies together, and on one node where the tables are
-- distributed by it. No key crosses businesses, no sequence numbers anything.
--
-- Lean on purpose: a zero that most rows have is stored as NULL, which takes no room; no index stands on a column
-- that a redemption changes, and pages have room left, so that an update stays in its page.
--
-- Ids are UUIDs, instants are microseconds in UTC, amounts are minor units. The numbers of kinds, accounts, units and
-- standings are those of passes-core.

-- One row: the format, and what is added to the numbers of transactions so that they go on growing where a dump was
-- restored into another cluster.
CREATE TABLE passes.meta (
    one bool PRIMARY KEY DEFAULT true CHECK (one),
    format int4 NOT NULL,
    base int8 NOT NULL,
    cluster int8 NOT NULL
);

-- A code is reserved before its pass is made, so it names a pass that may not be there.
CREATE TABLE passes.code (
    business uuid NOT NULL,
    digest bytea NOT NULL,
    lot uuid NOT NULL,
    serial int8 NOT NULL,
    PRIMARY KEY (business, digest)
);

-- `last` is the last entry of the pass's chain and `prev` the one that was last before the command that wrote it.
-- NULL is 0 in all that is counted, in flags, code_try, last and prev.
CREATE TABLE passes.pass (
    business uuid NOT NULL,
    lot uuid NOT NULL,
    serial int8 NOT NULL,
    version int4 NOT NULL,
    standing int2 NOT NULL,
    flags int4,
    activated int8,
    redeem_by int8,
    value int8,
    uses_used int8,
    uses_held int8,
    uses_lim int8,
    balance_used int8,
    balance_held int8,
    balance_lim int8,
    granted_used int8,
    granted_held int8,
    granted_lim int8,
    holder uuid,
    successor uuid,
    sale uuid,
    code_try int4,
    fields bytea,
    last int8,
    prev int8,
    PRIMARY KEY (business, lot, serial)
) WITH (fillfactor = 85);

CREATE TABLE passes.credit (
    business uuid NOT NULL,
    contact uuid NOT NULL,
    id uuid NOT NULL,
    version int4 NOT NULL,
    lot uuid NOT NULL,
    serial int8 NOT NULL,
    mark int2 NOT NULL,
    spend_by int8,
    created int8 NOT NULL,
    used int8,
    held int8,
    lim int8,
    last int8,
    prev int8,
    PRIMARY KEY (business, contact, id)
) WITH (fillfactor = 85);

-- Version 0 is a document that is not there, and whose absence somebody relied on.
CREATE TABLE passes.doc (
    business uuid NOT NULL,
    kind int2 NOT NULL,
    id uuid NOT NULL,
    version int4 NOT NULL,
    parent_kind int2,
    parent_id uuid,
    body bytea NOT NULL,
    PRIMARY KEY (business, kind, id)
) WITH (fillfactor = 90);

CREATE INDEX doc_parent ON passes.doc (business, kind, parent_kind, parent_id, id) WHERE parent_id IS NOT NULL;

CREATE TABLE passes.tally (
    business uuid NOT NULL,
    id uuid NOT NULL,
    slot int4 NOT NULL,
    used int8 NOT NULL,
    held int8 NOT NULL,
    lim int8 NOT NULL,
    PRIMARY KEY (business, id, slot)
) WITH (fillfactor = 50);

-- Append-only. A number is that of the transaction with a counter in its last 16 bits, so readers know below which
-- number nothing can appear any more. The entries of an operation have the numbers behind its own.
CREATE TABLE passes.operation (
    business uuid NOT NULL,
    number int8 NOT NULL,
    id uuid NOT NULL,
    kind int2 NOT NULL,
    at int8 NOT NULL,
    booked int8 NOT NULL,
    actor text NOT NULL,
    place text,
    channel text,
    reason text,
    entries int4 NOT NULL,
    fingerprint uuid,
    after int8[],
    receipt bytea NOT NULL,
    events bytea NOT NULL,
    PRIMARY KEY (business, number)
);

-- The hash of an idempotency key. Its operation bears it, or stops it.
CREATE TABLE passes.opkey (
    business uuid NOT NULL,
    key uuid NOT NULL,
    operation int8 NOT NULL,
    stops bool NOT NULL,
    PRIMARY KEY (business, key)
);

-- Append-only. `nth` is its number less that of its operation. The length of a subject tells what it is: a pass (16),
-- a range of passes (first and count: 20), a credit (contact and id: 32). Each entry names the one before it of the
-- same subject; passes and credits name their last.
CREATE TABLE passes.entry (
    business uuid NOT NULL,
    number int8 NOT NULL,
    nth int4 NOT NULL,
    from_account int2 NOT NULL,
    to_account int2 NOT NULL,
    unit int2 NOT NULL,
    mark int2 NOT NULL,
    line int4,
    amount int8 NOT NULL,
    before_from int8,
    before_to int8,
    from_subject bytea,
    to_subject bytea,
    PRIMARY KEY (business, number)
);
