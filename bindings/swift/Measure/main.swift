// What the library costs beside its floor: calls that cross with the same arguments and answers, over the same work of the
// core, and whose answers are ready (passes-ffi/src/uni/floor.rs). CPU time of the thread, best of seven, the two by turns. `cargo xtask measure` builds and
// runs it; it fails above 1.2.
import Foundation
import Passes

let rows: Int64 = 10_000

func seconds(_ times: Int, _ work: () throws -> Void) rethrows -> Double {
    func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
    let before = now()
    for _ in 0..<times { try work() }
    return (now() - before) / Double(times)
}

func compare(_ name: String, _ times: Int, ours: () throws -> Void, floor: () throws -> Void) rethrows -> Bool {
    var (bare, found) = (Double.infinity, Double.infinity)
    for _ in 0..<7 {
        bare = min(bare, try seconds(times, floor))
        found = min(found, try seconds(times, ours))
    }
    let ratio = found / bare
    func shown(_ seconds: Double) -> String { String(format: "%12.2f µs", seconds * 1e6) }
    let label = name.padding(toLength: 24, withPad: " ", startingAt: 0)
    print("\(label) \(shown(found)), floor \(shown(bare)), ratio \(String(format: "%.2f", ratio))")
    return ratio <= 1.2
}

let clock = try TestClock.at(now: Date(timeIntervalSince1970: 1_777_636_800))
let keyring = try Keyring.fromMaster(id: "m", master: Data(count: 32))
let passes = try Passes.openForTests(address: "memory:", keyring: keyring, clock: clock, seed: 1)
let owner = Actor(id: "owner", rights: allRights)
let settings = try newSettings(name: "x", zone: "UTC", currencies: [Currency(code: "GBP")], locale: "en")
let by = By(business: try passes.createBusiness(actor: owner, settings: settings), actor: owner)
let value = Money(amount: 25, currency: Currency(code: "GBP"))
let terms = try fixedTerms(classification: .gift, form: .printed, value: value)
let plan = try passes.createPlan(by: by, spec: Spec(name: ["en": "x"], terms: terms, code: usualFormat())).done
_ = try passes.activatePlan(by: by, plan: plan)
let started = try passes.generate(by: by, request: Generate(plan: plan, count: rows)).done
_ = try passes.finishRun(by: by, run: started.run)
_ = try passes.export(by: by, lot: started.lot)
let codes = try passes.exportPage(by: by, lot: started.lot, after: 0, limit: rows)
let (card, lot, filter) = (try passOfLot(lot: started.lot, serial: 1), started.lot, PassFilter())
let page = try passes.passes(by: by, lot: lot, filter: filter, order: .serial, after: nil, limit: rows)
precondition(page.rows.count == Int(rows) && codes.count == Int(rows))
let floor = try Floor(
    passes: passes, by: by, lot: lot, rows: codes, page: page, csv: try exportCsv(rows: codes, header: true))

let good = [
    try compare("one call", 5_000) {
        _ = try passes.pass(by: by, pass: card)
    } floor: {
        _ = try floor.pass(by: by, pass: card)
    },
    try compare("\(rows) records out", 5) {
        _ = try passes.passes(by: by, lot: lot, filter: filter, order: .serial, after: nil, limit: rows)
    } floor: {
        _ = try floor.passes(by: by, lot: lot, filter: filter, order: .serial, after: nil, limit: rows)
    },
    try compare("\(rows) records in", 5) {
        _ = try exportCsv(rows: codes, header: true)
    } floor: {
        _ = try floor.exportCsv(rows: codes, header: true)
    },
]
exit(good.allSatisfy { $0 } ? 0 : 1)
