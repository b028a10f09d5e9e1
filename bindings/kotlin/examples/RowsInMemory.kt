/* A store of one's own: rows in a map. One over a database has the same four methods. */
package org.passes.examples

import java.util.Arrays
import java.util.TreeMap
import org.passes.Expected
import org.passes.RecordStore
import org.passes.Row
import org.passes.WriteSet

class RowsInMemory : RecordStore {
    private val rows = TreeMap<ByteArray, ByteArray>(Arrays::compareUnsigned)

    override fun get(keys: List<ByteArray>): List<ByteArray?> = synchronized(rows) { keys.map { rows[it] } }

    override fun scan(start: ByteArray, end: ByteArray, limit: Int): List<Row> = synchronized(rows) {
        rows.subMap(start, end).entries.take(limit).map { Row(it.key, it.value) }
    }

    override fun commit(set: WriteSet): Boolean = synchronized(rows) {
        val isThere = { expected: Expected -> Arrays.equals(rows[expected.key], expected.value) }
        set.expect.all(isThere).also { all -> if (all) set.put.forEach { rows[it.key] = it.value } }
    }

    override fun format() = 1
}
