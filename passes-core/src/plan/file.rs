//! Plans as TOML files (P-14): an error names the field and the line.

use super::Spec;
use crate::business::Settings;
use crate::limits;
use crate::refusal::Refusal;
use toml::de::{DeTable, DeValue};

impl Spec {
    /// Reads a plan file.
    ///
    /// # Errors
    /// `BAD_FILE` with the line and the field; `TOO_LARGE` above 256 KiB.
    ///
    /// ```
    /// use passes_core::business::Settings;
    /// use passes_core::plan::Spec;
    /// let settings = Settings::new("Shop", "Europe/Berlin", &["EUR"], "de")?;
    /// let text = r#"
    /// [name]
    /// de = "Gutschein"
    /// [terms]
    /// classification = "gift"
    /// form = "printed"
    /// currency = "EUR"
    /// value = "50.00 EUR"
    /// redeem_by = { after_activation = "P3Y to end of year" }
    /// [code]
    /// length = 12
    /// "#;
    /// let plan = Spec::from_toml(text, &settings)?;
    /// assert_eq!(Spec::from_toml(&plan.to_toml()?, &settings)?, plan);
    ///
    /// let wrong = text.replace("50.00", "50.001");
    /// let refusal = Spec::from_toml(&wrong, &settings).unwrap_err();
    /// assert_eq!(refusal.code(), "BAD_FILE");
    /// let told = "line 8, terms.value: 50.001 has more decimals than the 2 of EUR; round the amount";
    /// assert_eq!(refusal.to_string(), told);
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    pub fn from_toml(text: &str, settings: &Settings) -> Result<Self, Refusal> {
        limits::list("plan file", text.len(), limits::PLAN_FILE)?;
        let spec: Self = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let field = field_at(text, at).unwrap_or_else(|| "the file".to_owned());
            Refusal::BadFile { line: line_at(text, at), field, why: error.message().to_owned() }
        })?;
        spec.validate(settings).map_err(|refusal| {
            let field = field_of(&refusal);
            let at = offset_of(text, &field).unwrap_or(0);
            Refusal::BadFile { line: line_at(text, at), field, why: refusal.in_file() }
        })?;
        Ok(spec)
    }

    /// Writes the plan as a file that [`Spec::from_toml`] reads.
    /// See [`Spec::from_toml`].
    ///
    /// # Errors
    /// `INVALID` if a part has no form in TOML, which no valid plan has.
    pub fn to_toml(&self) -> Result<String, Refusal> {
        toml::to_string_pretty(self).map_err(|error| Refusal::invalid("plan", error.to_string()))
    }
}

/// The path in the file of what a refusal of [`Spec::validate`] speaks of.
fn field_of(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Invalid { field, .. } => field.clone(),
        Refusal::TooLarge { field, .. } => field.clone(),
        Refusal::UnknownCurrency { .. } => "terms.currency".into(),
        Refusal::MixedCurrencies { .. } | Refusal::BadAmount { .. } | Refusal::Overflow => {
            "terms.value".into()
        }
        Refusal::BadFormat { .. } | Refusal::FormatTooShort { .. } => "code".into(),
        Refusal::BadField { field, .. } => format!("terms.fields.{field}"),
        _ => "the plan".into(),
    }
}

fn line_at(text: &str, at: usize) -> u64 {
    let lines = text.bytes().take(at).filter(|b| *b == b'\n').count();
    u64::try_from(lines).unwrap_or(u64::MAX).saturating_add(1)
}

/// Where the value of a dotted path stands; of its nearest parent that is there, else.
fn offset_of(text: &str, path: &str) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let mut table = document.get_ref();
    let mut at = None;
    for part in path.split('.') {
        let Some((_, value)) = table.iter().find(|(key, _)| key.get_ref() == part) else { break };
        at = Some(value.span().start);
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    at
}

/// The dotted path of the value that stands at an offset.
fn field_at(text: &str, at: usize) -> Option<String> {
    fn search(table: &DeTable<'_>, at: usize, path: &str) -> Option<String> {
        table.iter().find_map(|(key, value)| {
            // A key may be empty; a field that is told may not.
            let key_name = if key.get_ref().is_empty() { "\"\"" } else { key.get_ref() };
            let name = if path.is_empty() { key_name.to_owned() } else { format!("{path}.{key_name}") };
            let inner = match value.get_ref() {
                DeValue::Table(inner) => search(inner, at, &name),
                _ => None,
            };
            inner.or_else(|| {
                let here = value.span().contains(&at) || key.span().contains(&at);
                here.then_some(name)
            })
        })
    }
    search(DeTable::parse(text).ok()?.get_ref(), at, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[name]
en = "Gift card"
[terms]
classification = "gift"
form = "printed"
currency = "GBP"
value = { least = "10.00 GBP", most = "100.00 GBP" }
usage = { shared = 4 }
redeem_by = { date = "2027-05-31" }
spend_by = { after_redemption = "P1Y" }
pool = "toys"
[terms.windows]
start = "2026-01-01"
hours = [{ days = ["mon"], from = "09:00", to = "17:00" }]
[terms.conditions]
families = ["toys"]
minimum = "5.00 GBP"
[code]
prefix = "GIFT"
length = 10
check = true
group = 4
[caps]
passes = 1000
value = "5000.00 GBP"
"#;

    fn settings() -> Settings {
        let mut settings = Settings::new("Shop", "Europe/London", &["GBP"], "en").unwrap();
        settings.pools = vec![crate::conditions::Pool {
            name: "toys".into(),
            conditions: crate::conditions::Conditions::default(),
        }];
        settings
    }

    /// P-14: what is read is what is written.
    #[test]
    fn a_plan_survives_the_round_trip() {
        let plan = Spec::from_toml(GOOD, &settings()).unwrap();
        assert_eq!(Spec::from_toml(&plan.to_toml().unwrap(), &settings()).unwrap(), plan);
    }

    /// P-14: every error names its line and field. B-3: an unknown currency; P-3: a range turned round.
    #[test]
    fn errors_name_line_and_field() {
        for (from, to, line, field) in [
            ("\"GBP\"\nvalue", "\"QQQ\"\nvalue", 7, "terms.currency"),
            ("least = \"10.00 GBP\"", "least = \"110.00 GBP\"", 8, "terms.value"),
            ("shared = 4", "shared = 0", 9, "terms.usage"),
            ("2027-05-31", "2027-02-31", 10, "terms.redeem_by"),
            ("pool = \"toys\"", "pool = \"boats\"", 12, "terms.pool"),
            ("length = 10", "lenght = 10", 21, "code"),
            ("passes = 1000", "passes = \"many\"", 25, "caps.passes"),
            ("[name]", "[nmae]", 2, "nmae"),
            ("[name]", "'' = 2\n[name]", 2, "\"\""),
            ("group = 4", "'' = 4", 23, "code.\"\""),
            ("start = \"2026-01-01\"", "start = ", 14, "the file"),
        ] {
            let text = GOOD.replace(from, to);
            assert_ne!(text, GOOD, "{from}");
            let refusal = Spec::from_toml(&text, &settings()).unwrap_err();
            let Refusal::BadFile { line: l, field: f, why } = &refusal else { panic!("{refusal}") };
            assert!(f.starts_with(field), "{field}: told {f}: {why}");
            assert_eq!(*l, line, "{field}: {why}");
        }
        let long = "#".repeat(limits::PLAN_FILE + 1);
        assert_eq!(Spec::from_toml(&long, &settings()).unwrap_err().code(), "TOO_LARGE");
    }

    /// P-14, B-3: a wrong amount or value is told as what it is, with what would do; of none is said that it fits no
    /// variant.
    #[test]
    fn errors_say_what_would_help() {
        let value = "{ least = \"10.00 GBP\", most = \"100.00 GBP\" }";
        let minimum = "\"5.00 GBP\"";
        for (from, to, why) in [
            (value, "\"25.001 GBP\"", "25.001 has more decimals than the 2 of GBP; round the amount"),
            (
                value,
                "\"25.00 QQQ\"",
                "QQQ is no currency that can be used here; use an enabled ISO 4217 currency",
            ),
            (value, "\"25.00\"", "not an amount with its currency such as 12.50 EUR"),
            (value, "\"25,00 GBP\"", "not a decimal number such as 12.50"),
            (value, "25.0", "expected an amount such as \"25.00 EUR\", or { least = …, most = … }"),
            (value, "\"-25.00 GBP\"", "must be above zero"),
            ("100.00 GBP", "100.001 GBP", "100.001 has more decimals than the 2 of GBP; round the amount"),
            (", most = \"100.00 GBP\"", "", "missing field `most`"),
            (", most", ", worst = 1, most", "unknown field `worst`"),
            (minimum, "\"5.001 GBP\"", "5.001 has more decimals than the 2 of GBP; round the amount"),
            ("pool =", "fields = { size = 1.5 }\npool =", "expected yes or no, a whole number, or a text"),
            ("pool =", "fields = { size = [] }\npool =", "expected yes or no, a whole number, or a text"),
        ] {
            let text = GOOD.replacen(from, to, 1);
            assert_ne!(text, GOOD, "{from}");
            let refusal = Spec::from_toml(&text, &settings()).unwrap_err();
            let Refusal::BadFile { why: told, .. } = &refusal else { panic!("{refusal}") };
            assert!(told.contains(why) && !told.contains("variant"), "{to}: {told}");
        }
    }
}
