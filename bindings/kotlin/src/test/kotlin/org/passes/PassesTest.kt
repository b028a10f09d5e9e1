package org.passes

import java.io.File
import java.math.BigDecimal
import java.nio.file.Path
import java.time.Instant
import java.time.LocalDate
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertNotEquals
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.io.TempDir
import org.passes.examples.giftShop
import org.passes.examples.hello
import org.passes.secrets.CodeHash
import org.passes.secrets.Passcode

/** A shop with one lot of ten cards of 25 pounds, all sold, at noon of the first of May. */
class Shop(address: String = "memory:", keyring: Keyring = master(7)) : AutoCloseable {
    val clock = TestClock.at(Instant.parse("2026-05-01T12:00:00Z"))
    val passes = Passes.openForTests(address, keyring, clock, 1)
    val owner = Actor("owner", ALL_RIGHTS)
    val by = By(passes.createBusiness(owner, newSettings("Shop", "Europe/London", listOf(Currency("GBP")), "en-GB")), owner)
    val plan: PlanId
    val lot: LotId
    val codes: List<Passcode>

    init {
        val terms = fixedTerms(Classification.GIFT, Form.PRINTED, gbp("25"))
        plan = passes.createPlan(by, Spec(mapOf("en-GB" to "Card"), terms = terms, code = usualFormat())).done
        passes.activatePlan(by, plan)
        val started = passes.generate(by, Generate(plan, 10)).done
        passes.finishRun(by, started.run)
        lot = started.lot
        passes.sell(by, Over.Passes((1L..10L).map { passOfLot(lot, it) }), Deal(price = gbp("25")))
        passes.export(by, lot)
        codes = passes.exportPage(by, lot, 0, 10).map { it.code }
    }

    override fun close() = passes.close()

    companion object {
        fun gbp(amount: String) = Money.of(amount, "GBP")

        fun master(byte: Byte) = Keyring.fromMaster("m1", ByteArray(32) { byte })
    }
}

class PassesTest {
    private fun gbp(amount: String) = Shop.gbp(amount)

    /** F-1: amounts, dates and instants are the language's own, and come back as they were given. */
    @Test fun valuesAreTheLanguagesOwn() = Shop().use { shop ->
        val paid = shop.passes.redeem(shop.by, Redeem.direct(shop.codes[0], gbp("4.80")))
        assertEquals(BigDecimal("20.20"), paid.done.left.amount)
        assertEquals(Instant.parse("2026-05-01T12:00:00Z"), paid.at)
        shop.passes.setExpiry(shop.by, Over.Pass(passOfLot(shop.lot, 2)), Expiry.Date(LocalDate.of(2026, 12, 31)))
        val view = shop.passes.pass(shop.by, passOfLot(shop.lot, 2))
        assertEquals(Instant.parse("2027-01-01T00:00:00Z"), view.redeemBy)
        assertEquals(State.ACTIVE, view.state)
        // A microsecond more, as far away as a calendar goes.
        for (at in listOf("0001-01-01T00:00:00.000001Z", "1969-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z")) {
            shop.clock.set(Instant.parse(at))
            assertEquals(Instant.parse(at), shop.passes.checkpoint(shop.by).taken)
        }
        assertEquals("INVALID", assertFailsWith<PassesException> { shop.clock.set(Instant.MAX) }.code)
    }

    /** F-1: an id of one kind is never taken for another, and is equal by what it is. */
    @Test fun idsAreTyped() = Shop().use { shop ->
        val pass = passOfLot(shop.lot, 3)
        assertEquals(shop.lot, lotOfPass(pass))
        assertEquals(setOf(pass), setOf(PassId(pass.value), pass))
        assertNotEquals<Any>(LotId(pass.value), pass)
    }

    /** Z-1, F-1: an exception has a stable code, a sentence, and every reason with its values. */
    @Test fun exceptionsSayWhatHappened() = Shop().use { shop ->
        shop.passes.suspend(shop.by, Over.Pass(passOfLot(shop.lot, 1)))
        val error = assertFailsWith<PassesException.Refused> {
            shop.passes.redeem(shop.by, Redeem.direct(shop.codes[0], gbp("26")))
        }
        assertEquals("PASS_SUSPENDED", error.code)
        assertContains(error.message, "the pass is suspended")
        assertEquals(listOf("PASS_SUSPENDED", "BALANCE_TOO_SMALL"), error.reasons.map { it.code })
        assertEquals(mapOf("short" to "1.00 GBP"), error.reasons[1].values)
        assertFalse((error as PassesException).isRetryable)
        assertTrue(refusalCodes().containsAll(error.reasons.map { it.code }))
        val missing = assertFailsWith<PassesException> { Passes.open("mysql://till@db/shop", Shop.master(7)) }
        assertEquals("STORE_UNKNOWN", missing.code)
    }

    /** Z-3, F-1: what can't be used is refused before it is, whichever way it is wrong. */
    @Test fun badInputIsRefused() = Shop().use { shop ->
        fun refused(call: () -> Unit) = assertFailsWith<PassesException.Refused> { call() }.code
        assertEquals("TOO_MANY_DECIMALS", refused { shop.passes.redeem(shop.by, Redeem.direct(shop.codes[0], gbp("1.001"))) })
        assertEquals("INVALID", refused { shop.passes.redeem(shop.by, Redeem.direct(shop.codes[0], gbp("1E-40"))) })
        assertEquals("INVALID", refused { shop.passes.redeem(shop.by, Redeem.direct(shop.codes[0], gbp("1E+2000000000"))) })
        assertEquals("BAD_AMOUNT", refused { shop.passes.redeem(shop.by, Redeem.direct(shop.codes[0], gbp("1E+20"))) })
        assertEquals("UNKNOWN_CURRENCY", refused { shop.passes.redeem(shop.by, Redeem.direct(shop.codes[0], Money.of("1", "XXQ"))) })
        assertEquals("INVALID", refused { shop.passes.generate(shop.by, Generate(shop.plan, -1)) })
        assertEquals("INVALID", refused { shop.passes.generate(shop.by, Generate(shop.plan, Long.MAX_VALUE)) })
        assertEquals("INVALID", refused { shop.passes.refusals(shop.by, LocalDate.MAX) })
        assertEquals("INVALID", refused { Keyring.fromMaster("m1", ByteArray(31)) })
        assertEquals("BAD_FILE", refused { planFromToml("= nothing", shop.passes.settings(shop.by)) })
        assertEquals("INVALID", refused { checkpointFromText("nothing") })
        val key = assertFailsWith<PassesException.Key> { Keyring.parse("digest d1 zz") }
        assertEquals("KEY_MALFORMED", key.code)
    }

    /** C-13: no text shows a code: of itself, of a request, of an export, of an error. */
    @Test fun nothingShowsASecret() = Shop().use { shop ->
        val code = shop.codes[0]
        val hash = hashOfCode(code, shop.by.business)
        val request = Redeem.direct(code, gbp("26"))
        val error = assertFailsWith<PassesException> { shop.passes.redeem(shop.by, request) }
        val shown = listOf(
            code, hash, request, Presented.Hash(hash), error, error.stackTraceToString(), error.reasons,
            shop.passes.exportPage(shop.by, shop.lot, 0, 1), shop.passes.reveal(shop.by, passOfLot(shop.lot, 1)),
        ).joinToString { it.toString() }
        val bare = code.reveal().filter(Char::isLetterOrDigit)
        assertFalse(shown.contains(code.reveal()) || shown.contains(bare) || shown.contains(hash.reveal()), shown)
        assertEquals(Passcode(code.reveal()), code)
        assertEquals(CodeHash(hash.reveal()), hash)
        assertNotEquals(shop.codes[1], code)
    }

    /** C-14, D-1: one call opens a file with its keys; without them it says which are missing. */
    @Test fun aFileIsOpenedWithItsKeys(@TempDir folder: Path) {
        val database = folder.resolve("gift.db").toString()
        val keys = folder.resolve("gift.keys").toString()
        val by = Keyring.createFile(keys).use { keyring -> Shop(database, keyring).use { it.by } }
        Passes.open(database, Keyring.fromFile(keys)).use { assertEquals("Shop", it.settings(by).name) }
        assertEquals("KEYRING_EXISTS", assertFailsWith<PassesException.Key> { Keyring.createFile(keys) }.code)
        assertEquals("KEY_MISSING", assertFailsWith<PassesException.Key> { Passes.open(database, Shop.master(7)) }.code)
        assertEquals("KEYRING_NOT_SET", assertFailsWith<PassesException.Key> { Keyring.fromEnvironment("NO_SUCH") }.code)
    }

    /** D-1, C-14: the same call opens a database of PostgreSQL by its URL, with the keys it was made with and no others. */
    @Test fun aServerIsOpenedByItsUrl() {
        val url = System.getenv("PASSES_TEST_DATABASE")
        assumeTrue(url != null, "no database of PostgreSQL is named by PASSES_TEST_DATABASE")
        val by = Shop(url, Shop.master(7)).use { shop ->
            val paid = shop.passes.redeem(shop.by.copy(key = "r1"), Redeem.direct(shop.codes[0], gbp("5")))
            assertEquals(gbp("20.00"), paid.done.left)
            shop.by
        }
        Passes.open(url, Shop.master(7)).use { again ->
            assertEquals("Shop", again.settings(by).name)
            assertTrue(again.verify(by).isGood)
        }
        runBlocking { AsyncPasses.open(url, Shop.master(7)).use { assertTrue(it.verify(by).isGood) } }
        assertEquals("KEY_WRONG", assertFailsWith<PassesException.Key> { Passes.open(url, Shop.master(8)) }.code)
    }

    /** D-1: PostgreSQL is there, too: a server that can't be reached is told, without the password. */
    @Test fun aServerThatIsNotThereIsTold() {
        val url = "postgres://till:hunter2@127.0.0.1:1/shop?sslmode=disable"
        val error = assertFailsWith<PassesException.Store> { Passes.open(url, Shop.master(7)) }
        assertEquals("TRANSIENT", error.code)
        assertTrue(error.retryable)
        assertFalse(error.message.contains("hunter2"))
    }

    /** D-6, R-5: many coroutines on one card: each of its pounds is spent once. */
    @Test fun coroutinesShareOneLibrary(@TempDir folder: Path) = runBlocking {
        Shop(folder.resolve("gift.db").toString()).use { shop ->
            val later = shop.passes.asynchronous()
            val answers = (1..40).map { i ->
                async(Dispatchers.Default) {
                    try {
                        withTimeout(60_000) { later.redeem(shop.by.copy(key = "r$i"), Redeem.direct(shop.codes[0], gbp("1"))) }
                        "paid"
                    } catch (error: PassesException) {
                        error.code
                    }
                }
            }.awaitAll().groupingBy { it }.eachCount()
            assertEquals(mapOf("paid" to 25, "PASS_REDEEMED" to 15), answers)
            assertTrue(later.verify(shop.by).isGood)
        }
    }

    /** several redemptions in one call, each with its own answer. */
    @Test fun manyAreRedeemedInOneCall() = Shop().use { shop ->
        val asked = listOf("5", "21").map { Asked(shop.by, Redeem.direct(shop.codes[0], gbp(it))) }
        val (first, second) = shop.passes.redeemAll(asked)
        assertEquals(gbp("20.00"), assertIs<RedeemedReceiptOutcome.Done>(first).receipt.done.left)
        assertEquals("BALANCE_TOO_SMALL", assertIs<RedeemedReceiptOutcome.Failed>(second).error.code)
    }

    /** F-1: lists come a page at a time, and go on where they stopped. */
    @Test fun listsGoOn() = Shop().use { shop ->
        val first = shop.passes.passes(shop.by, shop.lot, PassFilter(), PassOrder.SERIAL, limit = 6)
        val second = shop.passes.passes(shop.by, shop.lot, PassFilter(), PassOrder.SERIAL, first.next, 6)
        assertEquals((1L..10L).toList(), (first.rows + second.rows).map { it.serial })
        assertNull(second.next)
        assertEquals(mapOf(State.ACTIVE to 10L), shop.passes.countStates(shop.by, shop.lot).filterValues { it > 0 })
    }

    /** D-7: a checkpoint that was kept as a text tells that nothing was changed since. */
    @Test fun checkpointsAreTexts() = Shop().use { shop ->
        val kept = checkpointFromText(shop.passes.checkpoint(shop.by).text)
        assertTrue(shop.passes.verifySince(shop.by, listOf(kept)).isGood)
    }

    /** F-3: the examples run. */
    @Test fun examplesRun(@TempDir folder: Path) {
        hello(folder.resolve("hello.db").toString())
        assertTrue(File(folder.toFile(), "hello.db.keys").exists())
        val evening = runBlocking { giftShop("memory:", Shop.master(7)) }
        assertEquals(gbp("15.00"), evening.spent)
        assertEquals("PASS_DRAFT", evening.refused)
        assertEquals("17.50", evening.balance)
        val owed = evening.owed.single()
        assertEquals(BigDecimal("2742.50"), owed.outstanding.amount + owed.credit.amount)
        assertTrue(evening.good)
    }
}
