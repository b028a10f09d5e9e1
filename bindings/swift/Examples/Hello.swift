// The shortest way through: open, plan, sell, check, redeem.
import Foundation
import Passes

private let giftCard = """
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

public func hello(database: String) throws {
    // Open: one file for the database, and one for the keys, which never enter it.
    let file = database + ".keys"
    let isThere = FileManager.default.fileExists(atPath: file)
    let keyring = try isThere ? Keyring.fromFile(path: file) : Keyring.createFile(path: file)
    let passes = try Passes.open(address: database, keyring: keyring)

    // Plan: a business, and what its gift cards are worth.
    let owner = Actor(id: "owner", rights: allRights)
    let settings = try newSettings(
        name: "The Gift Shop", zone: "Europe/London", currencies: [Currency(code: "GBP")], locale: "en-GB")
    var by = By(business: try passes.createBusiness(actor: owner, settings: settings), actor: owner)
    let plan = try passes.createPlan(by: by, spec: try planFromToml(text: giftCard, settings: settings)).done
    _ = try passes.activatePlan(by: by, plan: plan)
    let lot = try passes.generate(by: by, request: Generate(plan: plan, count: 100)).done
    _ = try passes.finishRun(by: by, run: lot.run)

    // Sell: card number 1 becomes active. Its code is printed on it; here we have it revealed.
    let card = try passOfLot(lot: lot.lot, serial: 1)
    guard let price = Money("25.00", "GBP"), let amount = Money("12.50", "GBP") else { return }
    by.key = "receipt-1"
    _ = try passes.sell(by: by, over: .pass(pass: card), deal: Deal(price: price))
    by.key = nil
    guard let code = try passes.reveal(by: by, pass: card).code else { return }

    // Check: what would happen, and every reason why not. It writes nothing.
    let request = Redeem.direct(code, amount: amount)
    print(try passes.check(by: by, request: request).isGood ? "good for 12.50" : "not good")

    // Redeem: the key makes it safe to ask again when the answer was lost.
    by.key = "receipt-2"
    let paid = try passes.redeem(by: by, request: request).done
    print("paid \(paid.amount.amount), left on the card \(paid.left.amount)")
}
