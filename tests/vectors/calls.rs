//! The calls that a step may make, by the names that they have in the library.

use crate::json::{Fault, Read, Write, field};
use passes_core::business::Settings;
use passes_core::id::BusinessId;
use passes_core::operation::By;
use passes_core::passcode::Passcode;
use passes_core::plan::Spec;
use passes_core::service::{Over, Redeem};
use passes_core::{Error, Passes};
use serde_json::{Map, Value};

/// Makes a call, and tells what it came to.
pub(crate) fn call(passes: &Passes, name: &str, args: &Map<String, Value>) -> Result<Value, String> {
    match dispatch(passes, name, args) {
        Ok(told) => Ok(told),
        Err(Fault::Refused(refusal)) => Ok(Err::<(), _>(Error::from(refusal)).write()),
        Err(Fault::Shape(why)) => Err(format!("{name}: {why}")),
    }
}

/// The arguments of one call; each is to be asked for.
struct Args<'a> {
    all: &'a Map<String, Value>,
    asked: Vec<&'static str>,
}

impl Args<'_> {
    fn take<T: Read>(&mut self, name: &'static str) -> Result<T, Fault> {
        self.asked.push(name);
        field(self.all, name)
    }

    fn done(&self) -> Result<(), Fault> {
        match self.all.keys().find(|key| !self.asked.contains(&key.as_str())) {
            Some(other) => Err(Fault::Shape(format!("it takes no {other}"))),
            None => Ok(()),
        }
    }
}

/// Methods: first what is lent to the call, then what is given to it.
macro_rules! methods {
    ($( $method:ident ( $( $lent:ident $( : $lent_ty:ty )? ),+ $( ; $( $given:ident $( : $given_ty:ty )? ),+ )? ) )+) => {
        /// The names of the methods.
        pub(crate) const METHODS: &[&str] = &[ $( stringify!($method) ),+ ];

        fn method(passes: &Passes, name: &str, args: &mut Args<'_>) -> Result<Value, Fault> {
            $( if name == stringify!($method) {
                $( let $lent $( : $lent_ty )? = args.take(stringify!($lent))?; )+
                $( $( let $given $( : $given_ty )? = args.take(stringify!($given))?; )+ )?
                args.done()?;
                return Ok(passes.$method( $( &$lent ),+ $( , $( $given ),+ )? ).wait().write());
            } )+
            Err(Fault::Shape("there is no such call".into()))
        }
    };
}

methods! {
    create_business(actor; settings)
    create_business_once(actor, key: String; settings)
    settings(by)
    configure(by; settings)
    create_contact(by; profile)
    edit_contact(by; contact, profile)
    contact(by; contact)
    find_contact(by; medium)
    create_plan(by; spec)
    copy_plan(by; plan)
    edit_plan(by; plan, spec)
    activate_plan(by; plan)
    archive_plan(by; plan)
    delete_plan(by; plan)
    plan(by; plan)
    plans(by; after, limit)
    generate(by; request)
    issue(by; request)
    progress(by; run)
    step(by; run)
    finish_run(by; run)
    cancel_run(by; run)
    lot(by; lot)
    lots(by; plan: Option<passes_core::id::PlanId>, after, limit)
    pass(by; pass)
    pass_by_serial(by; lot, serial)
    pass_by_code(by, presented)
    passes(by; lot, filter, order, after, limit)
    count_states(by; lot)
    export(by; lot)
    export_page(by; lot, after, limit)
    close_export(by; lot)
    reveal(by; pass)
    activate(by; over: Over)
    delivered(by; over: Over, outcome)
    resend(by; over: Over)
    suspend(by; over: Over)
    reactivate(by; over: Over)
    cancel(by; over: Over, rest)
    set_expiry(by; over: Over, expiry)
    set_value(by; over: Over, value)
    set_fields(by; over: Over, values)
    set_recipient(by; over: Over, to)
    sell(by; over: Over, deal)
    void_sale(by; over: Over)
    sale(by; sale)
    check(by, request)
    redeem(by; request)
    check_spend(by, request)
    spend(by; request)
    reverse(by; request)
    wallet(by; contact)
    expiring(by; contact, until)
    statement(by; contact, after, limit)
    pass_statement(by; pass, before, limit)
    liability(by)
    operations(by; filter, after, limit)
    operation(by; position)
    events(by; after, limit)
    refusals(by; date)
    verify(by)
    verify_since(by, kept: Vec<passes_core::service::Checkpoint>)
    checkpoint(by)
    checkpoint_after(by, last)
}

/// What is no method of `Passes`, and the one whose callers stand in a list.
pub(crate) const OTHERS: &[&str] = &["redeem_all", "Spec::from_toml", "Spec::to_toml", "Passcode::hash"];

fn dispatch(passes: &Passes, name: &str, all: &Map<String, Value>) -> Result<Value, Fault> {
    let mut args = Args { all, asked: Vec::new() };
    let told = match name {
        "redeem_all" => {
            let requests: Vec<(By, Redeem)> = args.take("requests")?;
            passes.redeem_all(requests).wait().write()
        }
        "Spec::from_toml" => {
            let (text, settings): (String, Settings) = (args.take("text")?, args.take("settings")?);
            Spec::from_toml(&text, &settings).map_err(Error::from).write()
        }
        "Spec::to_toml" => args.take::<Spec>("spec")?.to_toml().map_err(Error::from).write(),
        "Passcode::hash" => {
            let (code, business): (Passcode, BusinessId) = (args.take("code")?, args.take("business")?);
            code.hash(business.as_bytes()).map_err(Error::from).write()
        }
        _ => return method(passes, name, &mut args),
    };
    args.done()?;
    Ok(told)
}
