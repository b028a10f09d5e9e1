/** How Kotlin's own types travel to the library and back; `uniffi.toml` names these. What the library can't hold goes
 *  there as a value that it refuses, so that the caller meets its exception and no other. */
package org.passes.bridge

import java.math.BigDecimal
import java.time.Instant
import java.time.LocalDate

private const val MICROS = 1_000_000L

/** Microseconds since 1970, rounded. */
fun microsOf(at: Instant): Long = try {
    Math.addExact(Math.multiplyExact(at.epochSecond, MICROS), (at.nano + 500L) / 1_000L)
} catch (_: ArithmeticException) {
    if (at.epochSecond < 0) Long.MIN_VALUE else Long.MAX_VALUE
}

fun instantOf(micros: Long): Instant =
    Instant.ofEpochSecond(Math.floorDiv(micros, MICROS), Math.floorMod(micros, MICROS) * 1_000L)

/** Days since 1970. */
fun daysOf(date: LocalDate): Int = date.toEpochDay().coerceIn(Int.MIN_VALUE.toLong(), Int.MAX_VALUE.toLong()).toInt()

fun dateOf(days: Int): LocalDate = LocalDate.ofEpochDay(days.toLong())

/** All digits; those of a number with a huge exponent would fill the memory, and no amount has so many. */
fun textOf(decimal: BigDecimal): String =
    if (decimal.scale() in -60..60) decimal.toPlainString() else decimal.toString()
