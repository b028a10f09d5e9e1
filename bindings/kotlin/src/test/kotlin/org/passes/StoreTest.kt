package org.passes

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.TestFactory
import org.passes.examples.RowsInMemory

/** A store whose commits go through a test's hands. */
private class Rows(val inner: RecordStore = RowsInMemory(), val commit: (WriteSet) -> Boolean = inner::commit) :
    RecordStore by inner {
    override fun commit(set: WriteSet): Boolean = commit.invoke(set)
}

class StoreTest {
    /** D-5, D-2: a store written in Kotlin passes the suite that every store passes. */
    @TestFactory fun aStoreInKotlinConforms() = conformanceCases().also { assertTrue(it.size > 50) }.map { name ->
        val rows = RowsInMemory()
        val factory = object : StoreFactory {
            override fun make(): RecordStore = rows
        }
        dynamicTest(name) { assertNull(runConformanceCase(name, factory)) }
    }

    /** D-2: a store that says it wrote and didn't is found, and so is one that can't be opened. */
    @Test fun aStoreThatForgetsIsFound() {
        val forgets = object : StoreFactory {
            override fun make(): RecordStore = Rows(commit = { true })
        }
        assertTrue(conformanceCases().any { runConformanceCase(it, forgets) != null })
        val shut = object : StoreFactory {
            override fun make(): RecordStore = throw StoreFault.Full("no disk")
        }
        assertNotNull(runConformanceCase(conformanceCases().first(), shut))
    }

    /** D-5, D-6: the library is opened on it, by callers who wait and by callers who suspend. */
    @Test fun theLibraryOpensOnIt() {
        val rows = RowsInMemory()
        val owner = Actor("owner", ALL_RIGHTS)
        val settings = newSettings("Shop", "Europe/London", listOf(Currency("GBP")), "en-GB")
        val by = Passes.openOn(rows, Shop.master(7)).use { By(it.createBusiness(owner, settings), owner) }
        runBlocking {
            AsyncPasses.openOn(rows, Shop.master(7)).use { passes ->
                assertEquals("Shop", passes.settings(by).name)
                assertTrue(passes.verify(by).isGood)
            }
        }
        val wrong = assertFailsWith<PassesException.Key> { Passes.openOn(rows, Shop.master(8)) }
        assertEquals("KEY_WRONG", wrong.code)
    }

    /** Z-1: what goes wrong in a host's store is told as an error of the store, in a line. */
    @Test fun faultsOfAStoreAreTold() {
        fun opened(fault: Exception): PassesException.Store =
            assertFailsWith { Passes.openOn(Rows(commit = { throw fault }), Shop.master(7)) }
        val full = opened(StoreFault.Full("the disk is full"))
        assertEquals("STORE_FULL" to true, full.code to full.retryable)
        assertTrue(full.message.contains("the disk is full"))
        val bug = opened(IllegalStateException("a bug"))
        assertEquals("STORE_FAILED", bug.code)
        assertTrue(bug.message.contains("a bug"))
        assertFalse(bug.message.contains('\n'))
    }
}
