/* A day of a gift shop: cards are printed, sold and given away; customers put them into wallets and pay baskets; one
   of them brings something back; and in the evening the books are right. Every function suspends: a server may serve
   as many tills as it likes at once. */
package org.passes.examples

import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.runBlocking
import org.passes.*
import org.passes.secrets.Passcode

/** What the day came to. */
data class Evening(val spent: Money, val refused: String, val balance: String, val owed: List<Liability>, val good: Boolean)

private fun gbp(amount: String) = Money.of(amount, "GBP")

/** A printed card of 25 pounds, which buys anything but other cards. */
private suspend fun AsyncPasses.giftCard(by: By): PlanId {
    val terms = fixedTerms(Classification.GIFT, Form.PRINTED, gbp("25.00"))
        .copy(redeemBy = RedeemBy.AfterActivation(Period("P3Y to end of year")))
    val spec = Spec(
        name = mapOf("en-GB" to "Gift card", "de" to "Geschenkkarte"),
        terms = terms,
        code = usualFormat().copy(prefix = "GIFT", check = true),
    )
    val plan = createPlan(by, spec).done
    activatePlan(by, plan)
    return plan
}

/** Prints a lot of cards and gives their codes; the export for the printer is closed afterwards. */
private suspend fun AsyncPasses.print(by: By, plan: PlanId, count: Long): List<ExportRow> {
    val lot = generate(by, Generate(plan, count)).done
    do {
        val progress = step(by, lot.run)
        println("${progress.done} of ${progress.total} cards")
    } while (progress.state == RunState.RUNNING)
    export(by, lot.lot)
    val rows = exportPage(by, lot.lot, after = 0, limit = count)
    check(exportCsv(rows, header = true).lines().size > count) // For the printer.
    closeExport(by, lot.lot)
    return rows
}

/** A customer who puts a card into a new wallet. */
private suspend fun AsyncPasses.register(by: By, name: String, code: Passcode): ContactId {
    val contact = createContact(by, Profile(name, listOf(Medium.Email("$name@example.org")))).done
    redeem(by.copy(key = "app-$name"), Redeem.intoWallet(code, contact))
    return contact
}

suspend fun giftShop(database: String, keyring: Keyring): Evening = AsyncPasses.open(database, keyring).use { passes ->
    val owner = Actor("owner", ALL_RIGHTS)
    val settings = newSettings("The Gift Shop", "Europe/London", listOf(Currency("GBP")), "en-GB")
        .copy(locales = listOf("en-GB", "de"))
    val office = By(passes.createBusiness(owner, settings), owner)
    val till = By(
        business = office.business,
        actor = Actor("till", setOf(Right.REDEEM, Right.SELL, Right.REVERSE, Right.VIEW), places = listOf("oxford-street")),
        place = "oxford-street",
    )

    // The day before: cards are printed, a company buys a hundred, and ten are given away.
    val cards = passes.print(office, passes.giftCard(office), 200)
    val company = cards.take(100).map { it.pass }
    passes.sell(office.copy(key = "invoice-1"), Over.Passes(company), Deal(price = gbp("22.50"), payment = "invoice 1"))
    passes.activate(office.copy(reason = "promotion"), Over.Passes(cards.takeLast(10).map { it.pass }))

    // In the morning four customers redeem at once, each a card into a wallet.
    val customers = coroutineScope {
        listOf("ann", "ben", "cleo", "dan").mapIndexed { i, name ->
            async { passes.register(office, name, cards[i].code) }
        }.awaitAll()
    }

    // Ann buys two mugs and a card for her mother, which no gift card pays.
    val basket = Basket(
        Currency("GBP"),
        listOf(
            Line("MUG", quantity = 2, unitPrice = gbp("7.50")),
            Line("CARD", quantity = 1, unitPrice = gbp("25.00"), storedValue = true),
        ),
    )
    val spent = passes.spend(till.copy(key = "receipt-1"), Spend(customers[0], basket, partly = true))
    println("Ann paid ${spent.done.amount.text} by her wallet, ${spent.done.short.text} by other means")

    // A lost answer is asked for again: nothing moves twice.
    val again = passes.spend(till.copy(key = "receipt-1"), Spend(customers[0], basket, partly = true))
    check(again.replayed && again.done == spent.done)

    // A card that was never sold is refused, with every reason.
    val refused = try {
        passes.redeem(till, Redeem.direct(cards[150].code, gbp("5.00")))
        error("a draft was redeemed")
    } catch (refusal: PassesException.Refused) {
        println("${refusal.message}; ${refusal.reasons.first().fix}")
        refusal.code
    }

    // One mug comes back.
    val mug = ReversalPart.Lines(listOf(LineAmount(line = 0, amount = gbp("7.50"))))
    passes.reverse(till.copy(reason = "broken"), Reverse(ReversalOf.Operation(spent.operation), mug))

    // In the evening: what Ann has, what the shop owes, and whether the books are right.
    val wallet = passes.wallet(till, customers[0])
    Evening(
        spent = spent.done.amount,
        refused = refused,
        balance = wallet.balance(Currency("GBP")).toPlainString(),
        owed = passes.liability(office),
        good = passes.verify(office).isGood,
    )
}

fun main() = runBlocking {
    val evening = giftShop("memory:", Keyring.fromMaster("demo", ByteArray(32) { 7 }))
    println("Ann has ${evening.balance} left, as a mug came back")
    evening.owed.forEach { println("owed: ${it.outstanding.text} on cards, ${it.credit.text} in wallets") }
    println(if (evening.good) "the books hold" else "the books don't hold")
}
