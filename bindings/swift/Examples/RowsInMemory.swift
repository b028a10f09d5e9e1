// A store of one's own: rows in an array. One over a database has the same four methods.
import Foundation
import Passes

public final class RowsInMemory: RecordStore, @unchecked Sendable {
    private let lock = NSLock()
    private var rows: [Row] = []

    public init() {}

    /// The place of the first row that is not before this key.
    private func place(_ key: Data) -> Int {
        var (low, high) = (0, rows.count)
        while low < high {
            let middle = (low + high) / 2
            if rows[middle].key.lexicographicallyPrecedes(key) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func value(_ key: Data) -> Data? {
        let at = place(key)
        return at < rows.count && rows[at].key == key ? rows[at].value : nil
    }

    public func get(keys: [Data]) throws -> [Data?] {
        lock.withLock { keys.map(value) }
    }

    public func scan(start: Data, end: Data, limit: Int32) throws -> [Row] {
        lock.withLock {
            let first = place(start)
            return Array(rows[first..<max(first, place(end))].prefix(Int(limit)))
        }
    }

    public func commit(set: WriteSet) throws -> Bool {
        lock.withLock {
            guard set.expect.allSatisfy({ value($0.key) == $0.value }) else { return false }
            for row in set.put {
                let at = place(row.key)
                if at < rows.count && rows[at].key == row.key { rows[at] = row } else { rows.insert(row, at: at) }
            }
            return true
        }
    }

    public func format() throws -> Int32 { 1 }
}
