import Foundation
import Passes
import XCTest

/// What the words that begin with `$` stand for: the answers that were given a name, and the values of the file.
private struct Scope {
    let values: Json?
    var answers: [String: Json] = [:]

    func expand(_ json: Json) throws -> Json {
        switch json {
        case .text(let text) where text.hasPrefix("$"): return try find(String(text.dropFirst()))
        case .list(let all): return .list(try all.map(expand))
        case .object(let own):
            var fields: [String: Json] = [:]
            if case .text(let base)? = own["$"], case .object(let found) = try find(base) { fields = found }
            for (name, value) in own where name != "$" { fields[name] = try expand(value) }
            return .object(fields)
        default: return json
        }
    }

    private func find(_ path: String) throws -> Json {
        let words = path.split(separator: ".").map(String.init)
        var found = try answers[words[0]] ?? field(values, words[0]).map(expand)
        for word in words.dropFirst() {
            found = try Int(word).map { try place(found, $0) } ?? field(found, word)
        }
        guard let found else { throw Wrong("nothing is called \(path)") }
        return found
    }
}

final class VectorTests: XCTestCase {
    private func files() throws -> [(String, Json)] {
        let here = URL(fileURLWithPath: #filePath)
        let root = (1...5).reduce(here) { at, _ in at.deletingLastPathComponent() }
        let folder = root.appendingPathComponent("tests/vectors")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }
        return try names.sorted().map { name in
            let data = try Data(contentsOf: folder.appendingPathComponent(name))
            return (name, try JSONDecoder().decode(Json.self, from: data))
        }
    }

    private func run(_ tell: (Passes, AsyncPasses, String, Json) async throws -> Json?) async throws -> Int {
        var scenarios = 0
        for (name, file) in try files() {
            let (start, keys) = (field(file, "start"), field(field(file, "start"), "keys"))
            let hex = Array(try text(field(keys, "master")))
            let master = Data(stride(from: 0, to: hex.count, by: 2).compactMap { UInt8(String(hex[$0...$0 + 1]), radix: 16) })
            for scenario in try list(field(file, "scenarios"), { $0 }) {
                scenarios += 1
                let keyring = try Keyring.fromMaster(id: try text(field(keys, "id")), master: master)
                let clock = try TestClock.at(now: try readInstant(field(start, "clock")))
                let seed = try number(field(start, "seed"))
                let passes = try Passes.openForTests(address: "memory:", keyring: keyring, clock: clock, seed: seed)
                let later = passes.asynchronous()
                var scope = Scope(values: field(file, "values"))
                let setup = try maybe(field(scenario, "setup")) { try list(field(field(file, "setups"), try text($0))) { $0 } }
                for (at, step) in try ((setup ?? []) + list(field(scenario, "steps")) { $0 }).enumerated() {
                    if let now = field(step, "clock") {
                        try clock.set(now: try readInstant(now))
                        continue
                    }
                    var args = field(try scope.expand(field(step, "args").map { .object(["a": $0]) } ?? .object([:])), "a")
                    if let by = field(step, "by") {
                        var fields: [String: Json] = [:]
                        if case .object(let given) = args { fields = given }
                        fields["by"] = try scope.expand(by)
                        args = .object(fields)
                    }
                    let told: Json
                    do {
                        told = answered(try await tell(passes, later, try text(field(step, "call")), args ?? .object([:])))
                    } catch let error as PassesError {
                        told = failed(error)
                    }
                    XCTAssertEqual(told, field(step, "expect"), "\(name), \(field(scenario, "name") as Any), step \(at)")
                    if let called = field(step, "as"), let answer = field(field(step, "expect"), "answer") {
                        scope.answers[try text(called)] = answer
                    }
                }
            }
        }
        return scenarios
    }

    /// F-2: each scenario gives the same answers as in Rust.
    func testScenariosThatWait() async throws {
        let run = try await run { passes, _, name, args in try call(passes, name, args) }
        XCTAssertGreaterThanOrEqual(run, 80)
    }

    /// F-2, D-6: and the same by functions that are awaited.
    func testScenariosThatAwait() async throws {
        _ = try await run { _, later, name, args in try await callAsync(later, name, args) }
    }
}
