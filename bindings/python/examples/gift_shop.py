"""A day of a gift shop: cards are printed, sold, spent at the till and put into wallets; something is brought back; in the
evening the books are told and proven."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import passes
from passes import Money

PURCHASES = [
    # card, what, how many, at, into whose wallet (or at the till)
    (1, "MUG", 2, "7.50", None),
    (1, "BAG", 4, "2.95", None),
    (2, "VASE", 1, "24.00", "ann@example.org"),
    (3, "LAMP", 1, "31.00", "bob@example.org"),
]


def gbp(amount: str) -> Money:
    """An amount in pounds."""
    return Money.parse(f"{amount} GBP")


@dataclass(frozen=True)
class Till:
    """Who gives the commands."""

    library: passes.Passes
    business: passes.BusinessId
    actor: passes.Actor
    receipt: int = 0

    def by(self, key: str | None = None) -> passes.By:
        """By the till, under a key."""
        return passes.By(business=self.business, actor=self.actor, place="Oxford Street", channel="pos", key=key)


def open_shop(folder: Path) -> Till:
    """Opens the library on a file, with a business."""
    library = passes.open(folder / "gift.db", passes.Keyring.create_file(folder / "gift.keys"))
    owner = passes.Actor("owner", passes.Right)
    settings = passes.Settings(
        name="The Gift Shop", zone="Europe/London", currencies=["GBP"], locales=["en-GB"], default_locale="en-GB"
    )
    business = library.create_business_once(owner, "the-gift-shop", settings)
    return Till(library, business, owner)


def print_cards(till: Till, folder: Path, count: int) -> tuple[passes.LotId, dict[int, passes.Passcode]]:
    """Makes a lot, and its file for the printing house."""
    spec = passes.Spec(
        name={"en-GB": "Gift card"},
        terms=passes.Terms(
            classification=passes.Classification.GIFT,
            form=passes.Form.PRINTED,
            currency="GBP",
            value=passes.Worth.Fixed(gbp("25")),
            redeem_by=passes.RedeemBy.AfterActivation(passes.Period(years=3, to_end_of="year")),
        ),
        code=passes.Format(prefix="GIFT", check=True),
    )
    library, by = till.library, till.by()
    plan = library.create_plan(by, spec).done
    library.activate_plan(by, plan)
    started = library.generate(by, passes.Generate(plan=plan, count=count)).done
    progress = library.finish_run(by, started.run)
    library.export(by, started.lot)
    rows = library.export_page(by, started.lot, 0, count)
    (folder / "printer.csv").write_bytes(passes.export_csv(rows))
    print(f"printed {progress.done} cards of 25.00 GBP")
    return started.lot, {row.serial: row.code for row in rows}


def wallet_of(till: Till, email: str) -> passes.ContactId:
    """The contact with this address, new or known."""
    medium = passes.Medium.Email(email)
    known = till.library.find_contact(till.by(), medium)
    if known is not None:
        return known.id
    return till.library.create_contact(till.by(), passes.Profile(name=email.split("@")[0].title(), media=[medium])).done


def purchase(till: Till, code: passes.Passcode, basket: passes.Basket, email: str | None) -> passes.Position | None:
    """Pays a basket: from a card at the till, or from a wallet that the card was put into."""
    library = till.library
    try:
        if email is None:
            request = passes.Redeem(code=code, target=passes.Target.Direct(), basket=basket)
            paid = library.redeem(till.by(f"receipt-{till.receipt}"), request)
            print(f"{code.mask()} pays {paid.done.amount}, left {paid.done.left}")
            return paid.operation
        contact = wallet_of(till, email)
        library.redeem(till.by(f"wallet-{till.receipt}"), passes.Redeem(code=code, target=contact))
        spent = library.spend(till.by(f"receipt-{till.receipt}"), passes.Spend(contact=contact, basket=basket))
        print(f"{email} pays {spent.done.amount}")
        return spent.operation
    except passes.TermsError as refused:
        print(f"refused: {refused} ({refused.code}); {refused.fix}")
        return None


def main(folder: Path) -> None:
    """The day."""
    till = open_shop(folder)
    lot, codes = print_cards(till, folder, 50)
    for serial in (1, 2, 3):
        deal = passes.Deal(price=gbp("25"), payment=f"cash-{serial}")
        till.library.sell(till.by(f"sale-{serial}"), lot.pass_(serial), deal)
    print("sold 3 cards")

    paid: passes.Position | None = None
    for number, (serial, sku, quantity, price, email) in enumerate(PURCHASES):
        basket = passes.Basket("GBP", [passes.Line(sku=sku, quantity=quantity, unit_price=gbp(price))])
        paid = purchase(replace(till, receipt=number), codes[serial], basket, email) or paid

    if paid is not None:
        back = till.library.reverse(till.by("return-1"), passes.Reverse(of=passes.ReversalOf.Operation(paid)))
        print(f"brought back: {back.done.amount}")

    for owed in till.library.liability(till.by()):
        print(f"owed: {owed.outstanding} on cards, {owed.credit} in wallets")
    verified = till.library.verify(till.by())
    assert verified.drifted == 0
    print(f"the books hold: {verified.entries} entries of {verified.operations} operations")


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "gift_shop")
    target.mkdir(parents=True, exist_ok=True)
    main(target)
