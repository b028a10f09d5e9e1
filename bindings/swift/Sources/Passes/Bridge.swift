// How Swift's own types travel to the library and back; `uniffi.toml` names these.
import Foundation

/// A day of a calendar, without a time or a zone: Foundation has no type for one.
public struct CalendarDay: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Days since 1 January 1970.
    public let epochDay: Int32

    public init(epochDay: Int32) {
        self.epochDay = epochDay
    }

    /// Nothing when there is no such day.
    public init?(year: Int, month: Int, day: Int) {
        let wanted = DateComponents(year: year, month: month, day: day)
        guard let date = Self.utc.date(from: wanted) else { return nil }
        self.init(epochDay: Int32((date.timeIntervalSince1970 / 86_400).rounded(.down)))
        let found = components
        guard found.year == year, found.month == month, found.day == day else { return nil }
    }

    /// Its year, month and day.
    public var components: DateComponents {
        let date = Date(timeIntervalSince1970: Double(epochDay) * 86_400)
        return Self.utc.dateComponents([.year, .month, .day], from: date)
    }

    public static func < (a: Self, b: Self) -> Bool { a.epochDay < b.epochDay }

    /// As in `2026-05-01`.
    public var description: String {
        let parts = components
        return String(format: "%04d-%02d-%02d", parts.year ?? 0, parts.month ?? 0, parts.day ?? 0)
    }

    private static let utc: Calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(secondsFromGMT: 0) ?? calendar.timeZone
        return calendar
    }()
}

/// A passcode. Its text shows itself only when asked to, by `reveal`: not when it is printed, nor when what holds it is.
public struct SecretCode: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let text: String

    public init(_ text: String) {
        self.text = text
    }

    /// The code itself.
    public func reveal() -> String { text }

    public var description: String { "Passcode(..)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// The hash of a passcode, as 64 hexadecimal digits. It may be presented in the code's place, so it is a secret, too.
public struct SecretHash: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let hex: String

    public init(_ hex: String) {
        self.hex = hex
    }

    /// The hash itself.
    public func reveal() -> String { hex }

    public var description: String { "CodeHash(..)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Microseconds since 1970, rounded; what no instant can be goes to the library as one that it refuses.
func microsOf(_ date: Date) -> Int64 {
    let micros = (date.timeIntervalSince1970 * 1_000_000).rounded()
    if micros.isNaN { return .max }
    return Int64(exactly: micros) ?? (micros < 0 ? .min : .max)
}

func instantOf(_ micros: Int64) -> Date {
    Date(timeIntervalSince1970: Double(micros) / 1_000_000)
}
