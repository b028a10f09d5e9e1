import Foundation

/// Every right there is.
public let allRights = Set(Right.allCases)

extension Money {
    /// An amount, such as `Money("25.00", "GBP")`; nothing when the amount is no number.
    public init?(_ amount: String, _ currency: String) {
        guard let amount = Decimal(string: amount, locale: Locale(identifier: "en_US_POSIX")) else { return nil }
        self.init(amount: amount, currency: Currency(code: currency))
    }
}

extension PassesError: LocalizedError {
    /// The stable code, for programs: `PASS_EXPIRED`, `STORE_FULL`.
    public var code: String {
        switch self {
        case .Refused(let code, _, _), .Store(let code, _, _), .Key(let code, _), .Other(let code, _): code
        }
    }

    /// What happened, for people.
    public var message: String {
        switch self {
        case .Refused(_, let message, _), .Store(_, let message, _), .Key(_, let message), .Other(_, let message): message
        }
    }

    /// The reasons of a refusal, the one to tell first in front; none for any other failure.
    public var reasons: [Refusal] {
        if case .Refused(_, _, let reasons) = self { reasons } else { [] }
    }

    /// Whether the same command may simply be given again.
    public var isRetryable: Bool {
        if case .Store(_, _, let retryable) = self { retryable } else { false }
    }

    public var errorDescription: String? { message }
    public var recoverySuggestion: String? { reasons.first.map(\.fix).flatMap { $0.isEmpty ? nil : $0 } }
}

extension Redeem {
    /// Redeems a pass into the wallet of a contact.
    public static func intoWallet(_ code: Passcode, of contact: ContactId) -> Redeem {
        Redeem(code: .code(passcode: code), target: .contact(contact: contact))
    }

    /// Redeems a pass into the wallet of a contact that is made for it.
    public static func intoNewWallet(_ code: Passcode) -> Redeem {
        Redeem(code: .code(passcode: code), target: .newContact)
    }

    /// Spends an amount of a gift card directly.
    public static func direct(_ code: Passcode, amount: Money) -> Redeem {
        Redeem(code: .code(passcode: code), target: .direct, amount: amount)
    }

    /// Pays a basket with a gift card.
    public static func pay(_ code: Passcode, basket: Basket) -> Redeem {
        Redeem(code: .code(passcode: code), target: .direct, basket: basket)
    }
}

extension Wallet {
    /// What can be spent of one currency, of all pockets together.
    public func balance(_ currency: Currency) -> Decimal {
        pockets.filter { $0.key.currency == currency }.reduce(Decimal.zero) { $0 + $1.balance.amount }
    }
}

extension RedeemedCheck {
    /// Whether it would be accepted.
    public var isGood: Bool { reasons.isEmpty }
}

extension SpentCheck {
    /// Whether it would be accepted.
    public var isGood: Bool { reasons.isEmpty }
}

extension Verified {
    /// Whether everything is as it has to be, and as each checkpoint saw it.
    public var isGood: Bool {
        drifted == 0 && since.allSatisfy { if case .kept = $0 { true } else { false } }
    }
}
