/* The shortest way through: open, plan, sell, check, redeem. */
package org.passes.examples

import java.io.File
import org.passes.*

private const val GIFT_CARD = """
[name]
en-GB = "Gift card"
[terms]
classification = "gift"
form = "printed"
currency = "GBP"
value = "25.00 GBP"
redeem_by = { after_activation = "P3Y to end of year" }
[code]
prefix = "GIFT"
check = true
"""

fun hello(database: String) {
    // Open: one file for the database, and one for the keys, which never enter it.
    val file = "$database.keys"
    val keyring = if (File(file).exists()) Keyring.fromFile(file) else Keyring.createFile(file)
    Passes.open(database, keyring).use { passes ->
        // Plan: a business, and what its gift cards are worth.
        val owner = Actor("owner", ALL_RIGHTS)
        val settings = newSettings("The Gift Shop", "Europe/London", listOf(Currency("GBP")), "en-GB")
        val by = By(passes.createBusiness(owner, settings), owner)
        val plan = passes.createPlan(by, planFromToml(GIFT_CARD, settings)).done
        passes.activatePlan(by, plan)
        val lot = passes.generate(by, Generate(plan, count = 100)).done
        passes.finishRun(by, lot.run)

        // Sell: card number 1 becomes active. Its code is printed on it; here we have it revealed.
        val card = passOfLot(lot.lot, 1)
        passes.sell(by.copy(key = "receipt-1"), Over.Pass(card), Deal(price = Money.of("25.00", "GBP")))
        val code = passes.reveal(by, card).code ?: return

        // Check: what would happen, and every reason why not. It writes nothing.
        val request = Redeem.direct(code, Money.of("12.50", "GBP"))
        println(if (passes.check(by, request).isGood) "good for 12.50" else "not good")

        // Redeem: the key makes it safe to ask again when the answer was lost.
        val paid = passes.redeem(by.copy(key = "receipt-2"), request).done
        println("paid ${paid.amount.text}, left on the card ${paid.left.text}")
    }
}

fun main(args: Array<String>) = hello(args.firstOrNull() ?: "hello.db")
