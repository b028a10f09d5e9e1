package org.passes

import com.google.gson.JsonArray
import com.google.gson.JsonElement
import com.google.gson.JsonObject
import com.google.gson.JsonParser
import com.google.gson.JsonPrimitive
import java.io.File
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.TestFactory

/** What the words that begin with `$` stand for: the answers that were given a name, and the values of the file. */
class Scope(private val values: JsonObject) {
    private val answers = mutableMapOf<String, JsonElement>()

    fun name(name: String, answer: JsonElement) {
        answers[name] = answer
    }

    fun expand(json: JsonElement): JsonElement = when {
        json is JsonPrimitive && json.isString && json.asString.startsWith("$") -> find(json.asString.drop(1))
        json is JsonArray -> JsonArray().also { all -> json.forEach { all.add(expand(it)) } }
        json is JsonObject -> {
            val base = json["$"]?.let { find(it.asString).asJsonObject.deepCopy() } ?: JsonObject()
            json.entrySet().filter { it.key != "$" }.forEach { base.add(it.key, expand(it.value)) }
            base
        }
        else -> json
    }

    private fun find(path: String): JsonElement {
        val words = path.split('.')
        val start = answers[words.first()] ?: values[words.first()]?.let(::expand) ?: error("nothing is called $path")
        return words.drop(1).fold(start) { found, word ->
            val place = word.toIntOrNull()
            (if (place != null) found.asJsonArray[place] else found.asJsonObject[word]) ?: error("$path: no $word")
        }
    }
}

/** The library as a file's scenarios find it. */
class World(start: JsonObject) : AutoCloseable {
    private val clock = TestClock.at(readInstant(start["clock"]))
    private val keys = start["keys"].let { keys ->
        val master = keys["master"].text().chunked(2).map { it.toInt(16).toByte() }.toByteArray()
        Keyring.fromMaster(keys["id"].text(), master)
    }
    private val passes = Passes.openForTests("memory:", keys, clock, start["seed"].number())
    private val later = passes.asynchronous()

    fun step(step: JsonObject, scope: Scope, waits: Boolean) {
        step["clock"]?.let { return clock.set(readInstant(it)) }
        val name = step["call"].text()
        val args = step["args"]?.let(scope::expand)?.asJsonObject ?: JsonObject()
        step["by"]?.let { args.add("by", scope.expand(it)) }
        val told = try {
            answered(if (waits) call(passes, name, args) else runBlocking { callAsync(later, name, args) })
        } catch (error: PassesException) {
            failed(error)
        }
        val expected = step["expect"]
        assertTrue(same(told, expected), "$name told\n$told\nnot\n$expected")
        step["as"]?.let { scope.name(it.asString, expected["answer"]!!) }
    }

    override fun close() {
        listOf(later, passes, keys, clock).forEach { it.close() }
    }
}

/** Whether two values are the same: numbers by what they are. */
private fun same(a: JsonElement?, b: JsonElement?): Boolean = when {
    a is JsonArray && b is JsonArray -> a.size() == b.size() && a.zip(b).all { (x, y) -> same(x, y) }
    a is JsonObject && b is JsonObject -> a.keySet() == b.keySet() && a.keySet().all { same(a[it], b[it]) }
    a is JsonPrimitive && a.isNumber -> b is JsonPrimitive && b.isNumber && a.asBigDecimal.compareTo(b.asBigDecimal) == 0
    else -> a == b
}

class VectorTest {
    private val files = File(System.getProperty("vectors.dir")).listFiles { file -> file.extension == "json" }!!.sorted()

    private fun scenarios(waits: Boolean): List<DynamicTest> = files.flatMap { file ->
        val json = JsonParser.parseString(file.readText()).asJsonObject
        json["scenarios"].list { it.asJsonObject }.map { scenario ->
            dynamicTest("${file.nameWithoutExtension}: ${scenario["name"].text()}") {
                World(json["start"].asJsonObject).use { world ->
                    val scope = Scope(json["values"].asJsonObject)
                    val setup = scenario["setup"]?.let { json["setups"][it.asString] } ?: JsonArray()
                    val steps = setup.list { it } + scenario["steps"].list { it }
                    steps.forEach { world.step(it.asJsonObject, scope, waits) }
                }
            }
        }
    }

    /** F-2: each scenario gives the same answers as in Rust. */
    @TestFactory fun scenariosThatWait() = scenarios(waits = true).also { assertTrue(it.size >= 80) }

    /** F-2, D-6: and the same by functions that suspend. */
    @TestFactory fun scenariosThatSuspend() = scenarios(waits = false)
}
