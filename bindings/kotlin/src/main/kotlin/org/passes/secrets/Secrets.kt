package org.passes.secrets

/**
 * A passcode. Its text shows itself only when asked to, by [reveal]: not when it is printed, nor when what holds it is.
 */
class Passcode(private val text: String) {
    /** The code itself. */
    fun reveal(): String = text

    override fun equals(other: Any?): Boolean = other is Passcode && other.text == text

    override fun hashCode(): Int = text.hashCode()

    override fun toString(): String = "Passcode(..)"
}

/**
 * The hash of a passcode, as 64 hexadecimal digits. It may be presented in the code's place, so it is a secret, too.
 */
class CodeHash(private val hex: String) {
    /** The hash itself. */
    fun reveal(): String = hex

    override fun equals(other: Any?): Boolean = other is CodeHash && other.hex == hex

    override fun hashCode(): Int = hex.hashCode()

    override fun toString(): String = "CodeHash(..)"
}
