// What is under the generated codec of the scenario vectors (`Codec.swift`): JSON, and the types that Swift has itself.
// `tests/vectors/README.md` says how values are written.
import Foundation
import Passes

indirect enum Json: Equatable, Decodable {
    case null
    case yes(Bool)
    case number(Int64)
    case text(String)
    case list([Json])
    case object([String: Json])

    init(from decoder: any Decoder) throws {
        let one = try decoder.singleValueContainer()
        if one.decodeNil() {
            self = .null
        } else if let yes = try? one.decode(Bool.self) {
            self = .yes(yes)
        } else if let number = try? one.decode(Int64.self) {
            self = .number(number)
        } else if let text = try? one.decode(String.self) {
            self = .text(text)
        } else if let list = try? one.decode([Json].self) {
            self = .list(list)
        } else {
            self = .object(try one.decode([String: Json].self))
        }
    }
}

struct Wrong: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

func nothingTakesAnOutcome() throws -> Never { throw Wrong("nothing takes an outcome") }

func field(_ json: Json?, _ name: String) -> Json? {
    guard case .object(let fields) = json else { return nil }
    return fields[name]
}

func place(_ json: Json?, _ at: Int) throws -> Json? {
    guard case .list(let all) = json, at < all.count else { throw Wrong("a list is wanted, not \(json as Any)") }
    return all[at]
}

func text(_ json: Json?) throws -> String {
    guard case .text(let text) = json else { throw Wrong("a text is wanted, not \(json as Any)") }
    return text
}

func number(_ json: Json?) throws -> Int64 {
    guard case .number(let number) = json else { throw Wrong("a number is wanted, not \(json as Any)") }
    return number
}

func yes(_ json: Json?) throws -> Bool {
    guard case .yes(let yes) = json else { throw Wrong("true or false is wanted, not \(json as Any)") }
    return yes
}

func maybe<T>(_ json: Json?, _ read: (Json) throws -> T) rethrows -> T? {
    guard let json, json != .null else { return nil }
    return try read(json)
}

func list<T>(_ json: Json?, _ read: (Json) throws -> T) throws -> [T] {
    guard case .list(let all) = json else { throw Wrong("a list is wanted, not \(json as Any)") }
    return try all.map(read)
}

func map<K: Hashable, V>(
    _ json: Json?, _ key: (Json) throws -> K, _ value: (Json) throws -> V
) throws -> [K: V] {
    guard case .object(let fields) = json else { throw Wrong("an object is wanted, not \(json as Any)") }
    return Dictionary(uniqueKeysWithValues: try fields.map { (try key(.text($0.key)), try value($0.value)) })
}

/// A variant: its name alone, or an object of its name and what it holds.
func variant(_ json: Json?) throws -> (String, Json?) {
    switch json {
    case .text(let name): return (name, nil)
    case .object(let fields):
        guard let only = fields.first, fields.count == 1 else { throw Wrong("a variant is wanted, not \(fields)") }
        return (only.key, only.value)
    default: throw Wrong("a variant is wanted, not \(json as Any)")
    }
}

/// What is no id can't be one here: the type refuses it, where Rust has a refusal.
func uuid(_ json: Json?, _ what: String) throws -> UUID {
    if let uuid = UUID(uuidString: try text(json)) { return uuid }
    let refusal = Refusal(
        code: "INVALID", message: "\(what): not a UUID", fix: "", values: ["field": what, "why": "not a UUID"])
    throw PassesError.Refused(code: refusal.code, message: refusal.message, reasons: [refusal])
}

func json(_ text: String) -> Json { .text(text) }
func json(_ number: Int64) -> Json { .number(number) }
func json(_ yes: Bool) -> Json { .yes(yes) }

/// A record has no field for what is nothing.
func record(_ fields: [(String, Json?)]) -> Json {
    .object(Dictionary(uniqueKeysWithValues: fields.compactMap { name, value in value.map { (name, $0) } }))
}

func pair(_ parts: [Json?]) -> Json { .list(parts.map { $0 ?? .null }) }

func list<T>(_ values: [T], _ write: (T) -> Json) -> Json { .list(values.map(write)) }

func map<K, V>(_ values: [K: V], _ key: (K) -> Json, _ value: (V) -> Json) -> Json {
    var fields: [String: Json] = [:]
    for (name, held) in values {
        if case .text(let name) = key(name) { fields[name] = value(held) }
    }
    return .object(fields)
}

func ordered<T: Comparable>(_ set: Set<T>) -> [T] { set.sorted() }
func ordered<T: CaseIterable & Hashable>(_ set: Set<T>) -> [T] { T.allCases.filter(set.contains) }

func answered(_ answer: Json?) -> Json { .object(["answer": answer ?? .null]) }

func failed(_ error: PassesError) -> Json {
    if case .Refused(_, _, let reasons) = error { return .object(["refused": list(reasons, writeRefusal)]) }
    return .object(["failed": json(error.code)])
}

/// What became of one of several commands.
func outcome(_ value: RedeemedReceiptOutcome, _ write: (RedeemedReceipt) -> Json) -> Json {
    switch value {
    case .done(let receipt): return answered(write(receipt))
    case .failed(let error): return failed(error)
    }
}

func writeRefusal(_ refusal: Refusal) -> Json {
    let values = refusal.values.isEmpty ? nil : map(refusal.values, { json($0) }, { json($0) })
    return record([("code", json(refusal.code)), ("values", values)])
}

func readMoney(_ from: Json?) throws -> Money {
    let words = try text(from).split(separator: " ").map(String.init)
    guard words.count == 2, let money = Money(words[0], words[1]) else { throw Wrong("no money: \(words)") }
    return money
}

/// Foundation's decimals forget trailing zeros; the library's amounts have all decimals of their currency.
func writeMoney(_ money: Money) -> Json {
    let decimals = ["JPY": 0, "CLP": 0, "KRW": 0, "BHD": 3, "KWD": 3, "TND": 3][money.currency.code] ?? 2
    var amount = NSDecimalNumber(decimal: money.amount).description(withLocale: Locale(identifier: "en_US_POSIX"))
    let shown = amount.firstIndex(of: ".").map { amount.distance(from: $0, to: amount.endIndex) - 1 } ?? 0
    if decimals > 0 && shown == 0 { amount += "." }
    return json(amount + String(repeating: "0", count: max(0, decimals - shown)) + " " + money.currency.code)
}

func readCurrency(_ from: Json?) throws -> Currency { Currency(code: try text(from)) }
func writeCurrency(_ currency: Currency) -> Json { json(currency.code) }
func readPeriod(_ from: Json?) throws -> Period { Period(text: try text(from)) }
func writePeriod(_ period: Period) -> Json { json(period.text) }
func readTimeOfDay(_ from: Json?) throws -> TimeOfDay { TimeOfDay(text: try text(from)) }
func writeTimeOfDay(_ time: TimeOfDay) -> Json { json(time.text) }
func readZone(_ from: Json?) throws -> Zone { Zone(name: try text(from)) }
func writeZone(_ zone: Zone) -> Json { json(zone.name) }

func readDate(_ from: Json?) throws -> CalendarDay {
    let parts = try text(from).split(separator: "-").compactMap { Int($0) }
    guard parts.count == 3, let day = CalendarDay(year: parts[0], month: parts[1], day: parts[2]) else {
        throw Wrong("no date: \(parts)")
    }
    return day
}

func writeDate(_ date: CalendarDay) -> Json { json(date.description) }

func readDecimal(_ from: Json?) throws -> Decimal {
    guard let decimal = Decimal(string: try text(from), locale: Locale(identifier: "en_US_POSIX")) else {
        throw Wrong("no decimal")
    }
    return decimal
}

func writeDecimal(_ decimal: Decimal) -> Json {
    json(NSDecimalNumber(decimal: decimal).description(withLocale: Locale(identifier: "en_US_POSIX")))
}

/// Seconds and microseconds apart: a formatter of Foundation's knows no more than milliseconds.
func readInstant(_ from: Json?) throws -> Date {
    let whole = try text(from)
    let parts = whole.dropLast().split(separator: ".").map(String.init)
    guard let seconds = ISO8601DateFormatter().date(from: parts[0] + "Z") else { throw Wrong("no instant: \(whole)") }
    let micros = parts.count > 1 ? Double(parts[1].padding(toLength: 6, withPad: "0", startingAt: 0)) ?? 0 : 0
    return seconds.addingTimeInterval(micros / 1_000_000)
}

func writeInstant(_ at: Date) -> Json {
    let micros = Int64((at.timeIntervalSince1970 * 1_000_000).rounded())
    let seconds = Int64((Double(micros) / 1_000_000).rounded(.down))
    let whole = ISO8601DateFormatter().string(from: Date(timeIntervalSince1970: Double(seconds))).dropLast()
    return json("\(whole).\(String(format: "%06d", micros - seconds * 1_000_000))Z")
}

func readPasscode(_ from: Json?) throws -> Passcode { Passcode(try text(from)) }
func writePasscode(_ code: Passcode) -> Json { json(code.reveal()) }
func readCodeHash(_ from: Json?) throws -> CodeHash { CodeHash(try text(from)) }
func writeCodeHash(_ hash: CodeHash) -> Json { json(hash.reveal()) }
func readCheckpoint(_ from: Json?) throws -> Checkpoint { try checkpointFromText(text: try text(from)) }
func writeCheckpoint(_ checkpoint: Checkpoint) -> Json { json(checkpoint.text) }

func readBasket(_ from: Json?) throws -> Basket {
    Basket(currency: try readCurrency(field(from, "currency")), lines: try list(field(from, "lines")) { try readLine($0) })
}

func readActor(_ from: Json?) throws -> Actor {
    Actor(
        id: try text(field(from, "id")), rights: Set(try list(field(from, "rights")) { try readRight($0) }),
        places: try maybe(field(from, "places")) { try list($0) { try text($0) } },
        largest: try maybe(field(from, "largest")) { try list($0) { try readMoney($0) } } ?? [])
}

/// The calls that are no methods of the library.
func callOther(_ name: String, _ args: Json) throws -> Json {
    switch name {
    case "Spec::from_toml":
        let settings = try readSettings(field(args, "settings"))
        return writeSpec(try planFromToml(text: try text(field(args, "text")), settings: settings))
    case "Spec::to_toml": return json(try planToToml(spec: try readSpec(field(args, "spec"))))
    case "Passcode::hash":
        let (code, business) = (try readPasscode(field(args, "code")), try readBusinessId(field(args, "business")))
        return writeCodeHash(try hashOfCode(code: code, business: business))
    default: throw Wrong("there is no call \(name)")
    }
}
