// A day of a gift shop: cards are printed, sold and given away; customers put them into wallets and pay baskets; one of
// them brings something back; and in the evening the books are right. Every function is awaited: a server may serve as
// many tills as it likes at once.
import Foundation
import Passes

/// What the day came to.
public struct Evening: Sendable {
    public let spent: Money
    public let refused: String
    public let balance: Decimal
    public let owed: [Liability]
    public let good: Bool
}

private let pounds = Currency(code: "GBP")

private func gbp(_ pence: Int) -> Money { Money(amount: Decimal(pence) / 100, currency: pounds) }

extension By {
    /// The same, under an idempotency key.
    fileprivate func key(_ key: String) -> By {
        var by = self
        by.key = key
        return by
    }
}

extension AsyncPasses {
    /// A printed card of 25 pounds, which buys anything but other cards.
    fileprivate func giftCard(_ by: By) async throws -> PlanId {
        var terms = try fixedTerms(classification: .gift, form: .printed, value: gbp(2_500))
        terms.redeemBy = .afterActivation(period: Period(text: "P3Y to end of year"))
        var code = usualFormat()
        code.prefix = "GIFT"
        code.check = true
        let spec = Spec(name: ["en-GB": "Gift card", "de": "Geschenkkarte"], terms: terms, code: code)
        let plan = try await createPlan(by: by, spec: spec).done
        _ = try await activatePlan(by: by, plan: plan)
        return plan
    }

    /// Prints a lot of cards and gives their codes; the export for the printer is closed afterwards.
    fileprivate func print(_ by: By, plan: PlanId, count: Int64) async throws -> [ExportRow] {
        let lot = try await generate(by: by, request: Generate(plan: plan, count: count)).done
        while try await step(by: by, run: lot.run).state == .running {}
        _ = try await export(by: by, lot: lot.lot)
        let rows = try await exportPage(by: by, lot: lot.lot, after: 0, limit: count)
        _ = try exportCsv(rows: rows, header: true)  // For the printer.
        _ = try await closeExport(by: by, lot: lot.lot)
        return rows
    }

    /// A customer who puts a card into a new wallet.
    fileprivate func register(_ by: By, name: String, code: Passcode) async throws -> ContactId {
        let profile = Profile(name: name, media: [.email(value: "\(name)@example.org")])
        let contact = try await createContact(by: by, profile: profile).done
        _ = try await redeem(by: by.key("app-\(name)"), request: .intoWallet(code, of: contact))
        return contact
    }
}

public func giftShop(database: String, keyring: Keyring) async throws -> Evening {
    let passes = try await AsyncPasses.open(address: database, keyring: keyring)
    let owner = Actor(id: "owner", rights: allRights)
    var settings = try newSettings(name: "The Gift Shop", zone: "Europe/London", currencies: [pounds], locale: "en-GB")
    settings.locales = ["en-GB", "de"]
    let office = By(business: try await passes.createBusiness(actor: owner, settings: settings), actor: owner)
    let clerk = Actor(id: "till", rights: [.redeem, .sell, .reverse, .view], places: ["oxford-street"])
    let till = By(business: office.business, actor: clerk, place: "oxford-street")

    // The day before: cards are printed, a company buys a hundred, and ten are given away.
    let cards = try await passes.print(office, plan: try await passes.giftCard(office), count: 200)
    let company = cards.prefix(100).map(\.pass)
    let deal = Deal(price: gbp(2_250), payment: "invoice 1")
    _ = try await passes.sell(by: office.key("invoice-1"), over: .passes(passes: company), deal: deal)
    _ = try await passes.activate(by: office, over: .passes(passes: cards.suffix(10).map(\.pass)))

    // In the morning four customers redeem at once, each a card into a wallet.
    let customers = try await withThrowingTaskGroup(of: (Int, ContactId).self) { group in
        for (i, name) in ["ann", "ben", "cleo", "dan"].enumerated() {
            let code = cards[i].code
            group.addTask { (i, try await passes.register(office, name: name, code: code)) }
        }
        return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    guard let ann = customers[0] else { fatalError("four customers came") }

    // Ann buys two mugs and a card for her mother, which no gift card pays.
    let mugs = Line(sku: "MUG", quantity: 2, unitPrice: gbp(750))
    let card = Line(sku: "CARD", quantity: 1, unitPrice: gbp(2_500), storedValue: true)
    let wanted = Spend(contact: ann, basket: Basket(currency: pounds, lines: [mugs, card]), partly: true)
    let spent = try await passes.spend(by: till.key("receipt-1"), request: wanted)

    // A lost answer is asked for again: nothing moves twice.
    let again = try await passes.spend(by: till.key("receipt-1"), request: wanted)
    precondition(again.replayed && again.operation == spent.operation)

    // A card that was never sold is refused, with every reason.
    var refused = ""
    do {
        _ = try await passes.redeem(by: till, request: .direct(cards[150].code, amount: gbp(500)))
    } catch let error as PassesError {
        refused = error.code
    }

    // One mug comes back.
    let mug = ReversalPart.lines(lines: [LineAmount(line: 0, amount: gbp(750))])
    _ = try await passes.reverse(by: till, request: Reverse(of: .operation(position: spent.operation), part: mug))

    // In the evening: what Ann has, what the shop owes, and whether the books are right.
    return Evening(
        spent: spent.done.amount,
        refused: refused,
        balance: try await passes.wallet(by: till, contact: ann).balance(pounds),
        owed: try await passes.liability(by: office),
        good: try await passes.verify(by: office).isGood)
}
