"""The shortest way through: open, plan, sell, check, redeem."""

import sys
from pathlib import Path

import passes
from passes import Money

GIFT_CARD = """
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


def main(database: str) -> None:
    # Open: one file for the database, and one for the keys, which never enter it.
    keys = f"{database}.keys"
    keyring = passes.Keyring.from_file(keys) if Path(keys).exists() else passes.Keyring.create_file(keys)
    library = passes.open(database, keyring)

    # Plan: a business, and what its gift cards are worth.
    owner = passes.Actor("owner", passes.Right)
    settings = passes.Settings(
        name="The Gift Shop", zone="Europe/London", currencies=["GBP"], locales=["en-GB"], default_locale="en-GB"
    )
    shop = library.create_business(owner, settings)
    by = passes.By(business=shop, actor=owner)
    plan = library.create_plan(by, passes.plan_from_toml(GIFT_CARD, settings)).done
    library.activate_plan(by, plan)
    lot = library.generate(by, passes.Generate(plan=plan, count=100)).done
    library.finish_run(by, lot.run)

    # Sell: card number 1 becomes active. Its code is printed on it; here we have it revealed.
    card = lot.lot.pass_(1)
    library.sell(passes.By(business=shop, actor=owner, key="receipt-1"), card, passes.Deal(price=Money(25, "GBP")))
    code = library.reveal(by, card).code
    assert code is not None

    # Check: what would happen, and every reason why not. It writes nothing.
    request = passes.Redeem(code=code, target=passes.Target.Direct(), amount=Money.parse("12.50 GBP"))
    check = library.check(by, request)
    print(f"{code.mask()}: {'not good' if check.reasons else 'good for 12.50'}")

    # Redeem: the key makes it safe to ask again when the answer was lost.
    receipt = library.redeem(passes.By(business=shop, actor=owner, key="receipt-2"), request)
    print(f"paid {receipt.done.amount}, left on the card {receipt.done.left}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "hello.db")
