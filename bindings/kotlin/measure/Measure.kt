/* What the library costs beside its floor: calls that cross with the same arguments and answers, over the same work of the
   core, and whose answers are ready (passes-ffi/src/uni/floor.rs). CPU time of the thread, best of seven, the two by turns. `cargo xtask measure` builds and
   runs it; it fails above 1.2. */
package org.passes.measure

import java.lang.management.ManagementFactory
import java.time.Instant
import kotlin.system.exitProcess
import org.passes.*

private const val ROWS = 10_000L
private val threads = ManagementFactory.getThreadMXBean()

private fun seconds(times: Int, work: () -> Unit): Double {
    val before = threads.currentThreadCpuTime
    repeat(times) { work() }
    return (threads.currentThreadCpuTime - before) / 1e9 / times
}

private fun compare(name: String, times: Int, ours: () -> Unit, floor: () -> Unit): Boolean {
    repeat(3) { seconds(times, floor); seconds(times, ours) } // The JVM compiles what is called often.
    val rounds = (1..7).map { seconds(times, floor) to seconds(times, ours) }
    val (bare, found) = rounds.minOf { it.first } to rounds.minOf { it.second }
    val ratio = found / bare
    println("%-24s %12.2f µs, floor %12.2f µs, ratio %.2f".format(name, found * 1e6, bare * 1e6, ratio))
    return ratio <= 1.2
}

fun main() {
    val clock = TestClock.at(Instant.parse("2026-05-01T12:00:00Z"))
    val passes = Passes.openForTests("memory:", Keyring.fromMaster("m", ByteArray(32)), clock, 1)
    val owner = Actor("owner", ALL_RIGHTS)
    val by = By(passes.createBusiness(owner, newSettings("x", "UTC", listOf(Currency("GBP")), "en")), owner)
    val terms = fixedTerms(Classification.GIFT, Form.PRINTED, Money.of("25", "GBP"))
    val plan = passes.createPlan(by, Spec(mapOf("en" to "x"), terms = terms, code = usualFormat())).done
    passes.activatePlan(by, plan)
    val started = passes.generate(by, Generate(plan, ROWS)).done
    passes.finishRun(by, started.run)
    passes.export(by, started.lot)
    val codes = passes.exportPage(by, started.lot, 0, ROWS)
    val (card, lot, filter) = Triple(passOfLot(started.lot, 1), started.lot, PassFilter())
    val page = passes.passes(by, lot, filter, PassOrder.SERIAL, limit = ROWS)
    check(page.rows.size.toLong() == ROWS && codes.size.toLong() == ROWS)
    val floor = Floor(passes, by, lot, codes, page, exportCsv(codes, true))
    val good = listOf(
        compare("one call", 5_000, { passes.pass(by, card) }, { floor.pass(by, card) }),
        compare(
            "$ROWS records out", 10,
            { passes.passes(by, lot, filter, PassOrder.SERIAL, null, ROWS) },
            { floor.passes(by, lot, filter, PassOrder.SERIAL, null, ROWS) },
        ),
        compare("$ROWS records in", 10, { exportCsv(codes, true) }, { floor.exportCsv(codes, true) }),
    )
    exitProcess(if (good.all { it }) 0 else 1)
}
