//! Exceptions that say what happened. uniffi gives Kotlin's a `message` that lists their fields, `code=…,
//! reasons=…`; ours have a field for it, and every one has a `code`.

/// The exception of the library, as uniffi declares it.
const SEALED: &str = "sealed class PassesException: kotlin.Exception() {\n";

/// The same, generated Kotlin with exceptions whose `message` is the field of that name, and whose `code` all have.
///
/// # Errors
/// What was not found: uniffi writes it in another way than it did.
pub(crate) fn with_messages(kotlin: &str) -> Result<String, String> {
    let (before, rest) = kotlin.split_once(SEALED).ok_or("PassesException is not declared as it was")?;
    let (class, after) = rest.split_once("companion object ErrorHandler").ok_or("it has no ErrorHandler")?;
    let mut out = String::new();
    let mut found = 0;
    let mut lines = class.lines();
    while let Some(line) = lines.next() {
        match line.trim_start() {
            text if text.starts_with("val `code`:") => {
                out += &line.replace("val `code`", "override val `code`")
            }
            text if text.starts_with("val `message`:") => {
                out += &line.replace("val `message`", "override val `message`");
                found += 1;
            }
            // Two lines: `override val message` and `get() = "…"`.
            "override val message" => {
                lines.next();
                continue;
            }
            _ => out += line,
        }
        out.push('\n');
    }
    if found == 0 {
        return Err("no exception has a message".to_owned());
    }
    let code = "    /** The stable code, for programs: `PASS_EXPIRED`, `STORE_FULL`. */\n    abstract val `code`: kotlin.String\n\n";
    Ok(format!("{before}{SEALED}{code}{out}    companion object ErrorHandler{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE: &str = r#"sealed class PassesException: kotlin.Exception() {
    class Key(
        val `code`: kotlin.String,
        val `message`: kotlin.String
    ) : PassesException() {
        override val message
            get() = "code=${ `code` }, message=${ `message` }"
    }
    companion object ErrorHandler : X {}
"#;

    /// F-1: an exception's message is what happened, and not a list of its fields.
    #[test]
    fn messages_are_sentences() {
        let text = with_messages(MADE).unwrap();
        assert!(text.contains("        override val `message`: kotlin.String\n"), "{text}");
        assert!(text.contains("        override val `code`: kotlin.String,\n"), "{text}");
        assert!(
            text.contains("    abstract val `code`: kotlin.String\n") && !text.contains("get()"),
            "{text}"
        );
    }

    /// F-1: what is declared in another way stops the build.
    #[test]
    fn another_form_is_told() {
        assert!(with_messages("sealed class PassesException {}").is_err());
        assert!(with_messages(&MADE.replace("val `message`", "val `text`")).is_err());
    }
}
