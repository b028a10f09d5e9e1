import Foundation
import Passes
import PassesExamples
import XCTest

private func gbp(_ amount: String) -> Money {
    Money(amount: Decimal(string: amount) ?? .nan, currency: Currency(code: "GBP"))
}

private func master(_ byte: UInt8) throws -> Keyring {
    try Keyring.fromMaster(id: "m1", master: Data(repeating: byte, count: 32))
}

/// A shop with one lot of ten cards of 25 pounds, all sold, at noon of the first of May.
private struct Shop {
    let clock: TestClock
    let passes: Passes
    let by: By
    let plan: PlanId
    let lot: LotId
    let codes: [Passcode]

    init(_ address: String = "memory:", keyring: Keyring? = nil) throws {
        clock = try TestClock.at(now: try readInstant(.text("2026-05-01T12:00:00.000000Z")))
        passes = try Passes.openForTests(address: address, keyring: try keyring ?? master(7), clock: clock, seed: 1)
        let owner = Actor(id: "owner", rights: allRights)
        let settings = try newSettings(name: "Shop", zone: "Europe/London", currencies: [Currency(code: "GBP")], locale: "en-GB")
        by = By(business: try passes.createBusiness(actor: owner, settings: settings), actor: owner)
        let terms = try fixedTerms(classification: .gift, form: .printed, value: gbp("25"))
        plan = try passes.createPlan(by: by, spec: Spec(name: ["en-GB": "Card"], terms: terms, code: usualFormat())).done
        _ = try passes.activatePlan(by: by, plan: plan)
        let started = try passes.generate(by: by, request: Generate(plan: plan, count: 10)).done
        _ = try passes.finishRun(by: by, run: started.run)
        lot = started.lot
        let cards = try (1...10).map { try passOfLot(lot: started.lot, serial: $0) }
        _ = try passes.sell(by: by, over: .passes(passes: cards), deal: Deal(price: gbp("25")))
        _ = try passes.export(by: by, lot: lot)
        codes = try passes.exportPage(by: by, lot: lot, after: 0, limit: 10).map(\.code)
    }
}

/// What a call is refused with.
private func refused(_ call: () throws -> Void) -> PassesError? {
    do { try call() } catch { return error as? PassesError }
    return nil
}

final class PassesTests: XCTestCase {
    /// F-1: amounts, days and instants are the language's own, and come back as they were given.
    func testValuesAreTheLanguagesOwn() throws {
        let shop = try Shop()
        let paid = try shop.passes.redeem(by: shop.by, request: .direct(shop.codes[0], amount: gbp("4.80")))
        XCTAssertEqual(paid.done.left, gbp("20.20"))
        XCTAssertEqual(paid.at, try readInstant(.text("2026-05-01T12:00:00.000000Z")))
        let card = try passOfLot(lot: shop.lot, serial: 2)
        let day = try XCTUnwrap(CalendarDay(year: 2026, month: 12, day: 31))
        _ = try shop.passes.setExpiry(by: shop.by, over: .pass(pass: card), expiry: .date(date: day))
        let view = try shop.passes.pass(by: shop.by, pass: card)
        XCTAssertEqual(view.redeemBy, try readInstant(.text("2027-01-01T00:00:00.000000Z")))
        XCTAssertEqual(view.state, .active)
        for at in ["2026-05-01T12:00:00.123457Z", "1969-12-31T23:59:59.999999Z"] {
            try shop.clock.set(now: try readInstant(.text(at)))
            XCTAssertEqual(writeInstant(try shop.passes.checkpoint(by: shop.by).taken), .text(at))
        }
        XCTAssertEqual(refused { try shop.clock.set(now: .distantFuture.addingTimeInterval(1e15)) }?.code, "INVALID")
        XCTAssertEqual(try lotOfPass(pass: card), shop.lot)
    }

    /// Z-1, F-1: an error has a stable code, a sentence, and every reason with its values.
    func testErrorsSayWhatHappened() throws {
        let shop = try Shop()
        let card = try passOfLot(lot: shop.lot, serial: 1)
        _ = try shop.passes.suspend(by: shop.by, over: .pass(pass: card))
        let error = try XCTUnwrap(refused { _ = try shop.passes.redeem(by: shop.by, request: .direct(shop.codes[0], amount: gbp("26"))) })
        XCTAssertEqual(error.code, "PASS_SUSPENDED")
        XCTAssertEqual(error.localizedDescription, error.message)
        XCTAssertTrue(error.message.contains("the pass is suspended"))
        XCTAssertEqual(error.reasons.map(\.code), ["PASS_SUSPENDED", "BALANCE_TOO_SMALL"])
        XCTAssertEqual(error.reasons[1].values, ["short": "1.00 GBP"])
        XCTAssertFalse(error.isRetryable)
        XCTAssertEqual(refused { _ = try Passes.open(address: "mysql://till@db/shop", keyring: try master(7)) }?.code, "STORE_UNKNOWN")
    }

    /// Z-3, F-1: what can't be used is refused before it is.
    func testBadInputIsRefused() throws {
        let shop = try Shop()
        func code(_ amount: Money) -> String? {
            refused { _ = try shop.passes.redeem(by: shop.by, request: .direct(shop.codes[0], amount: amount)) }?.code
        }
        XCTAssertEqual(code(gbp("1.001")), "TOO_MANY_DECIMALS")
        XCTAssertEqual(code(Money(amount: .nan, currency: Currency(code: "GBP"))), "INVALID")
        XCTAssertEqual(code(Money(amount: 1, currency: Currency(code: "XXQ"))), "UNKNOWN_CURRENCY")
        XCTAssertEqual(refused { _ = try shop.passes.generate(by: shop.by, request: Generate(plan: shop.plan, count: -1)) }?.code, "INVALID")
        XCTAssertEqual(refused { _ = try Keyring.fromMaster(id: "m1", master: Data([7])) }?.code, "INVALID")
        XCTAssertEqual(refused { _ = try shop.passes.refusals(by: shop.by, date: CalendarDay(epochDay: .max)) }?.code, "INVALID")
        XCTAssertNil(CalendarDay(year: 2026, month: 2, day: 30))
    }

    /// C-13: no text shows a code: of itself, of a request, of an export, of an error.
    func testNothingShowsASecret() throws {
        let shop = try Shop()
        let (code, hash) = (shop.codes[0], try hashOfCode(code: shop.codes[0], business: shop.by.business))
        let request = Redeem.direct(code, amount: gbp("26"))
        let error = refused { _ = try shop.passes.redeem(by: shop.by, request: request) }
        var shown = "\(code) \(hash) \(request) \(error as Any) \(String(reflecting: request)) \(error?.localizedDescription ?? "")"
        dump(request, to: &shown)
        dump(try shop.passes.exportPage(by: shop.by, lot: shop.lot, after: 0, limit: 1), to: &shown)
        let bare = code.reveal().filter { $0.isLetter || $0.isNumber }
        XCTAssertFalse(shown.contains(code.reveal()) || shown.contains(bare) || shown.contains(hash.reveal()), shown)
        XCTAssertEqual(Passcode(code.reveal()), code)
    }

    /// C-14, D-1: one call opens a file with its keys; without them it says which are missing.
    func testAFileIsOpenedWithItsKeys() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let database = folder.appendingPathComponent("gift.db").path
        let keys = folder.appendingPathComponent("gift.keys").path
        let by = try Shop(database, keyring: try Keyring.createFile(path: keys)).by
        let again = try Passes.open(address: database, keyring: try Keyring.fromFile(path: keys))
        XCTAssertEqual(try again.settings(by: by).name, "Shop")
        XCTAssertEqual(refused { _ = try Keyring.createFile(path: keys) }?.code, "KEYRING_EXISTS")
        XCTAssertEqual(refused { _ = try Passes.open(address: database, keyring: try master(7)) }?.code, "KEY_MISSING")
        XCTAssertEqual(refused { _ = try Keyring.fromEnvironment(variable: "NO_SUCH") }?.code, "KEYRING_NOT_SET")
    }

    /// D-1, C-14: the same call opens a database of PostgreSQL by its URL, with the keys it was made with and no others.
    func testAServerIsOpenedByItsUrl() async throws {
        guard let url = ProcessInfo.processInfo.environment["PASSES_TEST_DATABASE"] else {
            throw XCTSkip("no database of PostgreSQL is named by PASSES_TEST_DATABASE")
        }
        let shop = try Shop(url)
        let paid = try shop.passes.redeem(by: shop.by, request: .direct(shop.codes[0], amount: gbp("5")))
        XCTAssertEqual(paid.done.left, gbp("20.00"))
        let again = try Passes.open(address: url, keyring: try master(7))
        XCTAssertEqual(try again.settings(by: shop.by).name, "Shop")
        let later = try await AsyncPasses.open(address: url, keyring: try master(7))
        let isGood = try await later.verify(by: shop.by).isGood
        XCTAssertTrue(isGood)
        XCTAssertEqual(refused { _ = try Passes.open(address: url, keyring: try master(8)) }?.code, "KEY_WRONG")
    }

    /// D-1: a server that can't be reached is told, without the password.
    func testAServerThatIsNotThereIsTold() throws {
        let url = "postgres://till:hunter2@127.0.0.1:1/shop?sslmode=disable"
        let error = try XCTUnwrap(refused { _ = try Passes.open(address: url, keyring: try master(7)) })
        XCTAssertEqual(error.code, "TRANSIENT")
        XCTAssertTrue(error.isRetryable)
        XCTAssertFalse(error.message.contains("hunter2"))
    }

    /// D-6, R-5: many tasks on one card: each of its pounds is spent once.
    func testTasksShareOneLibrary() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let shop = try Shop(folder.appendingPathComponent("gift.db").path)
        let (later, by, code) = (shop.passes.asynchronous(), shop.by, shop.codes[0])
        let answers = await withTaskGroup(of: String.self) { group in
            for i in 1...40 {
                group.addTask {
                    var by = by
                    by.key = "r\(i)"
                    do {
                        _ = try await later.redeem(by: by, request: .direct(code, amount: gbp("1")))
                        return "paid"
                    } catch { return (error as? PassesError)?.code ?? "\(error)" }
                }
            }
            return await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        }
        XCTAssertEqual(answers, ["paid": 25, "PASS_REDEEMED": 15])
        let isGood = try await later.verify(by: by).isGood
        XCTAssertTrue(isGood)
    }

    /// D-5, D-2: a store written in Swift passes the suite that every store passes.
    func testAStoreInSwiftConforms() throws {
        final class Factory: StoreFactory {
            let rows = RowsInMemory()
            func make() throws -> any RecordStore { rows }
        }
        XCTAssertGreaterThan(conformanceCases().count, 50)
        for name in conformanceCases() {
            XCTAssertNil(runConformanceCase(name: name, factory: Factory()))
        }
    }

    /// D-5: the library is opened on it; what goes wrong in it is told in a line.
    func testTheLibraryOpensOnIt() throws {
        let rows = RowsInMemory()
        let owner = Actor(id: "owner", rights: allRights)
        let settings = try newSettings(name: "Shop", zone: "UTC", currencies: [Currency(code: "GBP")], locale: "en")
        let by = By(business: try Passes.openOn(rows: rows, keyring: try master(7)).createBusiness(actor: owner, settings: settings), actor: owner)
        XCTAssertTrue(try Passes.openOn(rows: rows, keyring: try master(7)).verify(by: by).isGood)
        final class Full: RecordStore {
            func get(keys: [Data]) throws -> [Data?] { throw StoreFault.Full(why: "the disk is full") }
            func scan(start: Data, end: Data, limit: Int32) throws -> [Row] { [] }
            func commit(set: WriteSet) throws -> Bool { false }
            func format() throws -> Int32 { 1 }
        }
        let error = try XCTUnwrap(refused { _ = try Passes.openOn(rows: Full(), keyring: try master(7)) })
        XCTAssertEqual(error.code, "STORE_FULL")
        XCTAssertTrue(error.message.contains("the disk is full"))
    }

    /// F-3: the examples run.
    func testExamplesRun() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try hello(database: folder.appendingPathComponent("hello.db").path)
        XCTAssertTrue(FileManager.default.fileExists(atPath: folder.appendingPathComponent("hello.db.keys").path))
        let evening = try await giftShop(database: "memory:", keyring: try master(7))
        XCTAssertEqual(evening.spent, gbp("15"))
        XCTAssertEqual(evening.refused, "PASS_DRAFT")
        XCTAssertEqual(evening.balance, Decimal(string: "17.5"))
        XCTAssertEqual(evening.owed.reduce(Decimal.zero) { $0 + $1.outstanding.amount + $1.credit.amount }, Decimal(string: "2742.5"))
        XCTAssertTrue(evening.good)
    }
}
