-- Lean on purpose: what is looked up by a random key has no rowid, what only grows has an integer key, and no
-- index stands on a column that a redemption changes. A redemption into a wallet writes five pages: the pass, the
-- credit, the idempotency key, the operation and the entry.
--
-- Ids are the 16 bytes of UUIDs, instants are microseconds in UTC, amounts are minor units. The numbers of kinds,
-- accounts, units and standings are those of passes-core.

-- Every key begins with the business, or with what belongs to one: one byte instead of sixteen.
CREATE TABLE business (
    num INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE
) STRICT;

-- A pass's id is its lot's with the serial number in the last four bytes: a lot's number and the serial number say
-- the same in three.
CREATE TABLE lot (
    num INTEGER PRIMARY KEY,
    business INTEGER NOT NULL REFERENCES business (num),
    id BLOB NOT NULL,
    UNIQUE (business, id)
) STRICT;

-- A code is reserved before its pass is made, so it names a pass that may not be there.
CREATE TABLE code (
    business INTEGER NOT NULL,
    digest BLOB NOT NULL,
    lot INTEGER NOT NULL,
    serial INTEGER NOT NULL,
    PRIMARY KEY (business, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE pass (
    lot INTEGER NOT NULL,
    serial INTEGER NOT NULL,
    version INTEGER NOT NULL,
    standing INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    activated INTEGER,
    redeem_by INTEGER,
    value INTEGER,
    uses_used INTEGER NOT NULL,
    uses_held INTEGER NOT NULL,
    uses_lim INTEGER NOT NULL,
    balance_used INTEGER NOT NULL,
    balance_held INTEGER NOT NULL,
    balance_lim INTEGER NOT NULL,
    granted_used INTEGER NOT NULL,
    granted_held INTEGER NOT NULL,
    granted_lim INTEGER NOT NULL,
    holder BLOB,
    successor BLOB,
    sale BLOB,
    code_try INTEGER NOT NULL,
    fields BLOB,
    last INTEGER NOT NULL,
    PRIMARY KEY (lot, serial)
) STRICT, WITHOUT ROWID;

CREATE TABLE credit (
    business INTEGER NOT NULL,
    contact BLOB NOT NULL,
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    lot INTEGER NOT NULL,
    serial INTEGER NOT NULL,
    mark INTEGER NOT NULL,
    spend_by INTEGER,
    created INTEGER NOT NULL,
    used INTEGER NOT NULL,
    held INTEGER NOT NULL,
    lim INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (business, contact, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE doc (
    business INTEGER NOT NULL REFERENCES business (num),
    kind INTEGER NOT NULL,
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    parent_kind INTEGER,
    parent_id BLOB,
    body BLOB NOT NULL,
    PRIMARY KEY (business, kind, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX doc_parent ON doc (business, kind, parent_kind, parent_id) WHERE parent_id IS NOT NULL;

CREATE TABLE tally (
    business INTEGER NOT NULL REFERENCES business (num),
    id BLOB NOT NULL,
    slot INTEGER NOT NULL,
    used INTEGER NOT NULL,
    held INTEGER NOT NULL,
    lim INTEGER NOT NULL,
    PRIMARY KEY (business, id, slot)
) STRICT, WITHOUT ROWID;

-- Append-only. Its number is the position of its events; its entries are those from first_entry on.
CREATE TABLE operation (
    number INTEGER PRIMARY KEY,
    business INTEGER NOT NULL REFERENCES business (num),
    id BLOB NOT NULL,
    kind INTEGER NOT NULL,
    at INTEGER NOT NULL,
    booked INTEGER NOT NULL,
    actor TEXT NOT NULL,
    place TEXT,
    channel TEXT,
    reason TEXT,
    first_entry INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    fingerprint BLOB,
    after BLOB NOT NULL,
    receipt BLOB NOT NULL,
    events BLOB NOT NULL
) STRICT;

-- The hash of an idempotency key. Its operation bears it, or stops it. The fingerprint stands with the operation:
-- the shorter these rows, the seldomer a page of them overflows.
CREATE TABLE opkey (
    business INTEGER NOT NULL,
    key BLOB NOT NULL,
    operation INTEGER NOT NULL REFERENCES operation (number),
    stops INTEGER NOT NULL,
    PRIMARY KEY (business, key)
) STRICT, WITHOUT ROWID;

-- Append-only. The length of a subject tells what it is: a pass (16), a range of passes (first and count: 20), a
-- credit (contact and id: 32). Each entry names the one before it of the same subject, 0 for none; passes and
-- credits name their last. When it was is said by its operation.
CREATE TABLE entry (
    number INTEGER PRIMARY KEY,
    operation INTEGER NOT NULL REFERENCES operation (number),
    from_account INTEGER NOT NULL,
    from_subject BLOB,
    to_account INTEGER NOT NULL,
    to_subject BLOB,
    unit INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    mark INTEGER NOT NULL,
    line INTEGER,
    before_from INTEGER NOT NULL,
    before_to INTEGER NOT NULL
) STRICT;
