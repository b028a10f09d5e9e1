// The gift shop's day, told: `cargo xtask demo swift`.
import Foundation
import Passes
import PassesExamples

let keyring = try Keyring.fromMaster(id: "demo", master: Data(repeating: 7, count: 32))
let evening = try await giftShop(database: "memory:", keyring: keyring)
print("Ann paid \(evening.spent.amount) \(evening.spent.currency.code) by her wallet; a draft was refused: \(evening.refused)")
print("she has \(evening.balance) left, as a mug came back")
for owed in evening.owed {
    print("owed: \(owed.outstanding.amount) on cards, \(owed.credit.amount) in wallets")
}
print(evening.good ? "the books hold" : "the books don't hold")
