//! Contacts: found by their media, edited, and with fields of their own.

use super::people::{code_of, unknown};
use super::{Shop, card};
use crate::contact::{Medium, Profile};
use crate::fields::{Definition, FieldType, Value};
use crate::id::ContactId;
use crate::operation::By;
use crate::plan::{Form, Terms};
use crate::service::{Issue, Recipient, Redeem};

/// W-7: a contact is found by each of its media in any spelling; a medium leads to one contact, and is free again
/// once it was taken from one.
#[test]
fn contacts_are_found_by_their_media() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    let (phone, mail) = (|t: &str| Medium::Phone(t.into()), |t: &str| Medium::Email(t.into()));
    let reference = |t: &str| Medium::Reference(t.into());
    let with = |media: Vec<Medium>| Profile { media, ..Profile::default() };
    let ann = Profile {
        name: Some("Ann".into()),
        ..with(vec![
            phone("+49 30 901820"),
            mail("Ann@Example.org"),
            reference(" A-17 "),
            phone("+4930901820"),
        ])
    };
    let ann = passes.create_contact(by, ann).wait().unwrap().done;
    let find = |medium: Medium| passes.find_contact(by, medium).wait().unwrap().map(|contact| contact.id);
    for medium in [
        phone("+49 (30) 90 18-20"),
        phone("+４９30901820"),
        mail(" ann@EXAMPLE.ORG "),
        mail("ａnn@example.org"),
        reference("A-17"),
    ] {
        assert_eq!(find(medium.clone()), Some(ann), "{:?}", medium.parts());
    }
    for medium in [phone("+4930901821"), mail("bob@example.org"), reference("a-17"), reference("+4930901820")]
    {
        assert_eq!(find(medium), None);
    }
    assert_eq!(code_of(passes.find_contact(by, phone("030 901820")).wait()), "INVALID");
    assert_eq!(passes.contact(by, ann).wait().unwrap().profile.media.len(), 3);

    let create = |media| passes.create_contact(by, with(media)).wait();
    assert_eq!(code_of(create(vec![mail("bob@example.org"), mail("ANN@example.org")])), "TAKEN");
    assert_eq!(find(mail("bob@example.org")), None, "nothing is half done");
    let bob = create(vec![mail("bob@example.org")]).unwrap().done;
    let edit = |contact, media| passes.edit_contact(by, contact, with(media)).wait();
    assert_eq!(code_of(edit(bob, vec![mail("bob@example.org"), reference("A-17")])), "TAKEN");
    edit(ann, vec![mail("ann@example.org"), phone("+4930901820")]).unwrap();
    assert_eq!(find(reference("A-17")), None);
    edit(bob, vec![reference("A-17")]).unwrap();
    assert_eq!((find(reference("A-17")), find(mail("bob@example.org"))), (Some(bob), None));
    // Back to the one who had it before, and a profile that stays as it is.
    edit(bob, vec![]).unwrap();
    edit(ann, vec![mail("ann@example.org"), reference("A-17")]).unwrap();
    edit(ann, vec![mail("ann@example.org"), reference("A-17")]).unwrap();
    assert_eq!((find(reference("A-17")), find(phone("+4930901820"))), (Some(ann), None));
    assert_eq!(passes.contact(by, ann).wait().unwrap().profile.name, None, "the profile is replaced");

    assert_eq!(code_of(edit(unknown(), vec![])), "CONTACT_NOT_REGISTERED");
    assert_eq!(code_of(passes.contact(by, unknown()).wait()), "CONTACT_NOT_REGISTERED");
    let many = (0..21).map(|n| reference(&format!("r{n}"))).collect();
    assert_eq!(code_of(create(many)), "TOO_LARGE");
    let long = Profile { name: Some("x".repeat(65)), ..Profile::default() };
    assert_eq!(code_of(passes.create_contact(by, long).wait()), "TOO_LARGE");
    // Another business knows nobody of this one.
    let settings = passes.settings(by).wait().unwrap();
    let other = By::new(passes.create_business(&by.actor, settings).wait().unwrap(), by.actor.clone());
    assert_eq!(passes.find_contact(&other, mail("ann@example.org")).wait().unwrap(), None);
    assert_eq!(code_of(passes.contact(&other, ann).wait()), "CONTACT_NOT_REGISTERED");
    passes.create_contact(&other, with(vec![mail("ann@example.org")])).wait().unwrap();
}

/// W-7, D-3: of many that want a medium at once one gets it, and edits at once are all done, one after the other.
#[test]
fn a_medium_goes_to_one_of_many() {
    let shop = Shop::open();
    let (passes, by) = (&shop.passes, &shop.by);
    let medium = || Medium::Email("one@example.org".into());
    let got: Vec<Result<ContactId, &str>> = std::thread::scope(|threads| {
        let all: Vec<_> = (0..8)
            .map(|_| {
                threads.spawn(|| {
                    let answer = passes.create_contact(by, Profile::of(medium())).wait();
                    answer.map(|receipt| receipt.done).map_err(|error| error.code())
                })
            })
            .collect();
        all.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let winner: Vec<ContactId> = got.iter().filter_map(|answer| answer.ok()).collect();
    assert_eq!(winner.len(), 1);
    assert!(got.iter().all(|answer| answer.is_ok() || *answer == Err("TAKEN")));
    let before = shop.written();
    std::thread::scope(|threads| {
        for thread in 0..4 {
            let id = winner[0];
            threads.spawn(move || {
                for n in 0..10 {
                    let media = vec![Medium::Reference(format!("r{}", (thread + n) % 3))];
                    let profile = Profile { media, ..Profile::default() };
                    passes.edit_contact(by, id, profile).wait().unwrap();
                }
            });
        }
    });
    assert_eq!(shop.written(), before + 40);
    let last = passes.contact(by, winner[0]).wait().unwrap().profile.media;
    for n in 0..3 {
        let medium = Medium::Reference(format!("r{n}"));
        let found = passes.find_contact(by, medium.clone()).wait().unwrap();
        assert_eq!(found.is_some(), last.contains(&medium));
    }
}

/// custom fields of contacts are checked when one is registered, edited, or registered by an issue.
#[test]
fn contacts_have_fields() {
    let shop = Shop::with(|settings| {
        let define = |name: &str, required, field| Definition { name: name.into(), required, field };
        settings.contact_fields = vec![
            define("born", true, FieldType::Date {}),
            define("shoes", false, FieldType::Integer { least: 15, most: 60 }),
        ];
    });
    let (passes, by) = (&shop.passes, &shop.by);
    let profile = |fields: &[(&str, Value)]| Profile {
        fields: fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        ..Profile::default()
    };
    let born = ("born", Value::Text("1990-02-28".into()));
    let good = profile(&[born.clone(), ("shoes", Value::Integer(42))]);
    let ann = passes.create_contact(by, good.clone()).wait().unwrap().done;
    let plan = shop.plan(Terms { form: Form::Electronic, ..card() });
    for wrong in [
        profile(&[]),
        profile(&[("born", Value::Text("1990-02-30".into()))]),
        profile(&[born.clone(), ("shoes", Value::Integer(61))]),
        profile(&[born.clone(), ("shoes", Value::YesNo(true))]),
        profile(&[born.clone(), ("hat", Value::Integer(7))]),
    ] {
        assert_eq!(code_of(passes.create_contact(by, wrong.clone()).wait()), "BAD_FIELD");
        assert_eq!(code_of(passes.edit_contact(by, ann, wrong.clone()).wait()), "BAD_FIELD");
        assert_eq!(
            code_of(passes.issue(by, Issue::new(plan, Recipient::Profile(wrong), "sms")).wait()),
            "BAD_FIELD"
        );
    }
    assert_eq!(passes.contact(by, ann).wait().unwrap().profile, good);
    passes.edit_contact(by, ann, profile(&[born])).wait().unwrap();
    assert_eq!(passes.contact(by, ann).wait().unwrap().profile.fields.len(), 1);
    // A nameless contact has none to fill in.
    let code = shop.sold(shop.cards(), 1, "50").1.remove(0);
    let redeemed = passes.redeem(by, Redeem::into_new_wallet(code)).wait().unwrap();
    assert!(!passes.contact(by, redeemed.contact.unwrap()).wait().unwrap().named);
}
