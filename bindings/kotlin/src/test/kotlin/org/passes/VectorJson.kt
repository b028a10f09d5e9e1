package org.passes

import com.google.gson.JsonArray
import com.google.gson.JsonElement
import com.google.gson.JsonNull
import com.google.gson.JsonObject
import com.google.gson.JsonPrimitive
import java.math.BigDecimal
import java.time.Instant
import java.time.LocalDate
import java.time.ZoneOffset
import java.time.format.DateTimeFormatter
import java.util.UUID
import org.passes.secrets.CodeHash
import org.passes.secrets.Passcode

/* What is under the generated codec of the scenario vectors (`Codec.kt`): JSON, and the types that Kotlin has itself.
   `tests/vectors/README.md` says how values are written. */

fun wrong(wanted: String, found: JsonElement?): Nothing = error("$wanted is wanted, not $found")

private fun JsonElement?.there(wanted: String): JsonElement =
    this?.takeUnless { it.isJsonNull } ?: wrong(wanted, this)

fun JsonElement?.text(): String = there("a text").asString

fun JsonElement?.number(): Long = there("a number").asBigDecimal.longValueExact()

fun JsonElement?.yes(): Boolean = there("true or false").asBoolean

/** What is no id can't be one here: the type refuses it, where Rust has a refusal. */
fun JsonElement?.uuid(what: String): UUID = try {
    UUID.fromString(text())
} catch (error: IllegalArgumentException) {
    val refusal = Refusal("INVALID", "$what: not a UUID", "", mapOf("field" to what, "why" to "not a UUID"))
    throw PassesException.Refused(refusal.code, refusal.message, listOf(refusal))
}

fun <T> JsonElement?.maybe(read: (JsonElement) -> T): T? = this?.takeUnless { it.isJsonNull }?.let(read)

fun <T> JsonElement?.list(read: (JsonElement) -> T): List<T> = there("a list").asJsonArray.map(read)

fun <K, V> JsonElement?.map(key: (JsonElement) -> K, value: (JsonElement) -> V): Map<K, V> =
    there("an object").asJsonObject.entrySet().associate { key(JsonPrimitive(it.key)) to value(it.value) }

operator fun JsonElement?.get(field: String): JsonElement? = this?.takeUnless { it.isJsonNull }?.asJsonObject?.get(field)

operator fun JsonElement?.get(place: Int): JsonElement? = there("a pair").asJsonArray.get(place)

/** A variant: its name alone, or an object of its name and what it holds. */
fun <T> variant(json: JsonElement?, read: (String, JsonElement?) -> T): T {
    val found = json.there("a variant")
    if (found.isJsonPrimitive) return read(found.asString, null)
    val (name, held) = found.asJsonObject.entrySet().single()
    return read(name, held)
}

fun json(text: String): JsonElement = JsonPrimitive(text)

fun json(number: Long): JsonElement = JsonPrimitive(number)

fun json(yes: Boolean): JsonElement = JsonPrimitive(yes)

fun nothing(): JsonElement = JsonNull.INSTANCE

/** A record has no field for what is nothing. */
fun record(vararg fields: Pair<String, JsonElement?>): JsonElement =
    JsonObject().also { json -> fields.forEach { (name, value) -> if (value != null) json.add(name, value) } }

fun pair(vararg parts: JsonElement?): JsonElement =
    JsonArray().also { json -> parts.forEach { json.add(it ?: JsonNull.INSTANCE) } }

fun held(name: String, value: JsonElement?): JsonElement =
    if (value == null) json(name) else JsonObject().also { it.add(name, value) }

fun <T> list(values: List<T>, write: (T) -> JsonElement): JsonElement =
    JsonArray().also { json -> values.forEach { json.add(write(it)) } }

fun <K, V> map(values: Map<K, V>, key: (K) -> JsonElement, value: (V) -> JsonElement): JsonElement =
    JsonObject().also { json -> values.forEach { (k, v) -> json.add(key(k).asString, value(v)) } }

fun answered(answer: JsonElement?): JsonElement = JsonObject().also { it.add("answer", answer ?: JsonNull.INSTANCE) }

fun failed(error: PassesException): JsonElement = when (error) {
    is PassesException.Refused -> held("refused", list(error.reasons) { writeRefusal(it) })
    else -> held("failed", json(error.code))
}

fun writeRefusal(refusal: Refusal): JsonElement = record(
    "code" to json(refusal.code),
    "values" to refusal.values.takeIf { it.isNotEmpty() }?.let { values -> map(values, ::json, ::json) },
)

fun readMoney(json: JsonElement?): Money = json.text().split(' ').let { (amount, currency) -> Money.of(amount, currency) }

fun writeMoney(money: Money) = json(money.text)

fun readCurrency(json: JsonElement?) = Currency(json.text())

fun writeCurrency(currency: Currency) = json(currency.code)

fun readPeriod(json: JsonElement?) = Period(json.text())

fun writePeriod(period: Period) = json(period.text)

fun readTimeOfDay(json: JsonElement?) = TimeOfDay(json.text())

fun writeTimeOfDay(time: TimeOfDay) = json(time.text)

fun readZone(json: JsonElement?) = Zone(json.text())

fun writeZone(zone: Zone) = json(zone.name)

fun readDate(json: JsonElement?): LocalDate = LocalDate.parse(json.text())

fun writeDate(date: LocalDate) = json(date.toString())

fun readDecimal(json: JsonElement?) = BigDecimal(json.text())

fun writeDecimal(decimal: BigDecimal) = json(decimal.toPlainString())

fun readInstant(json: JsonElement?): Instant = Instant.parse(json.text())

private val MICROS = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC)

fun writeInstant(at: Instant) = json(MICROS.format(at))

fun readPasscode(json: JsonElement?) = Passcode(json.text())

fun writePasscode(code: Passcode) = json(code.reveal())

fun readCodeHash(json: JsonElement?) = CodeHash(json.text())

fun writeCodeHash(hash: CodeHash) = json(hash.reveal())

fun readCheckpoint(json: JsonElement?) = checkpointFromText(json.text())

fun writeCheckpoint(checkpoint: Checkpoint) = json(checkpoint.text)

fun readBasket(json: JsonElement?) = Basket(readCurrency(json["currency"]), json["lines"].list { readLine(it) })

fun readActor(json: JsonElement?) = Actor(
    id = json["id"].text(),
    rights = json["rights"].list { readRight(it) }.toSet(),
    places = json["places"].maybe { places -> places.list { it.text() } },
    largest = json["largest"].maybe { largest -> largest.list { readMoney(it) } } ?: emptyList(),
)

/** The calls that are no methods of the library. */
fun callOther(name: String, args: JsonObject): JsonElement = when (name) {
    "Spec::from_toml" -> writeSpec(planFromToml(args["text"].text(), readSettings(args["settings"])))
    "Spec::to_toml" -> json(planToToml(readSpec(args["spec"])))
    "Passcode::hash" -> writeCodeHash(hashOfCode(readPasscode(args["code"]), readBusinessId(args["business"])))
    else -> error("there is no call $name")
}
