package org.passes

import java.math.BigDecimal
import org.passes.secrets.Passcode

/** Every right there is. */
val ALL_RIGHTS: Set<Right> = Right.entries.toSet()

/** An amount, such as `Money.of("25.00", "GBP")`. */
fun Money.Companion.of(amount: String, currency: String): Money = Money(BigDecimal(amount), Currency(currency))

/** The amount with its currency: `25.00 GBP`. */
val Money.text: String get() = "${amount.toPlainString()} ${currency.code}"

/** The reasons of a refusal, the one to tell first in front; none for any other failure. */
val PassesException.reasons: List<Refusal>
    get() = (this as? PassesException.Refused)?.reasons ?: emptyList()

/** Whether the same command may simply be given again. */
val PassesException.isRetryable: Boolean
    get() = this is PassesException.Store && retryable

/** Redeems a pass into the wallet of a contact. */
fun Redeem.Companion.intoWallet(code: Passcode, contact: ContactId): Redeem =
    Redeem(code = Presented.Code(code), target = Target.Contact(contact))

/** Redeems a pass into the wallet of a contact that is made for it. */
fun Redeem.Companion.intoNewWallet(code: Passcode): Redeem =
    Redeem(code = Presented.Code(code), target = Target.NewContact)

/** Spends an amount of a gift card directly. */
fun Redeem.Companion.direct(code: Passcode, amount: Money): Redeem =
    Redeem(code = Presented.Code(code), target = Target.Direct, amount = amount)

/** Pays a basket with a gift card. */
fun Redeem.Companion.pay(code: Passcode, basket: Basket): Redeem =
    Redeem(code = Presented.Code(code), target = Target.Direct, basket = basket)

/** What can be spent of one currency, of all pockets together. */
fun Wallet.balance(currency: Currency): BigDecimal =
    pockets.filter { it.key.currency == currency }.fold(BigDecimal.ZERO) { sum, pocket -> sum + pocket.balance.amount }

/** Whether it would be accepted. */
val RedeemedCheck.isGood: Boolean get() = reasons.isEmpty()

/** Whether it would be accepted. */
val SpentCheck.isGood: Boolean get() = reasons.isEmpty()

/** Whether everything is as it has to be, and as each checkpoint saw it. */
val Verified.isGood: Boolean get() = drifted == 0L && since.all { it is Since.Kept }
