//! What holds of every document and every call.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value as Json, json};

use super::bucket::{BUCKETS, Salt};
use super::document::{
    Action, Condition, Document, Flag, Hash, Layer, Number, Override, Plan, PlanStep, Process, Ramp, Requirement, Rule,
    Scalar, Test,
};
use super::json_call::JsonCall;
use super::{Call, Decision, Implementation, Outline, Reason, Snapshot, Stage};

const CASES: u32 = 2_000;

fn split(share: u32) -> Action {
    Action::Split(vec![("rust".into(), share), ("python".into(), BUCKETS - share)])
}

fn compiled(document: &Document) -> Snapshot {
    Snapshot::compile(document, &Process::default()).unwrap()
}

fn served<'s>(snapshot: &'s Snapshot, flag: &str, unit: &str) -> &'s str {
    snapshot.serve(snapshot.position(flag), &JsonCall::of(unit, &Json::Null)).name()
}

proptest! {
    #[test]
    fn a_growing_percentage_only_adds_units(unit in ".+", salt in ".*", one in 0..=BUCKETS, other in 0..=BUCKETS) {
        let flag = |share| Flag { salt: Some(salt.clone()), otherwise: Some(split(share)), ..Flag::default() };
        let flags = [("less".to_owned(), flag(one.min(other))), ("more".to_owned(), flag(one.max(other)))];
        let snapshot = compiled(&Document { flags: flags.into(), ..Document::default() });
        let (less, more) = (served(&snapshot, "less", &unit), served(&snapshot, "more", &unit));
        prop_assert!(less == "python" || more == "rust", "left the candidate at {one} and {other}");
    }

    #[test]
    fn of_the_flags_of_a_layer_a_unit_meets_the_one_whose_slot_it_is_in(
        ends in btree_set(0..=BUCKETS, 2..8), units in vec(".+", 1..50)
    ) {
        let ends: Vec<u32> = ends.into_iter().collect();
        let slots = ends.windows(2).map(|ends| (format!("from {}", ends[0]), (ends[0], ends[1])));
        let slots: BTreeMap<_, _> = slots.collect();
        let flag = || Flag {
            layer: Some("layer".into()), otherwise: Some(Action::Serve("rust".into())), ..Flag::default()
        };
        let flags = slots.keys().map(|name| (name.clone(), flag())).collect();
        let layer = Layer { line: 0, salt: "layer".into(), unit: None, slots };
        let layers = [("layer".to_owned(), layer)].into();
        let snapshot = compiled(&Document { layers, flags, ..Document::default() });
        for unit in units {
            let bucket = Salt::new("layer").bucket(&unit);
            let own = ends.windows(2).find(|ends| (ends[0]..ends[1]).contains(&bucket));
            let own: Vec<_> = own.map(|ends| format!("from {}", ends[0])).into_iter().collect();
            let names = snapshot.flags.iter().map(|flag| flag.name.to_string());
            let met: Vec<_> = names.filter(|name| served(&snapshot, name, &unit) == "rust").collect();
            prop_assert_eq!(own, met);
        }
    }
}

/// Names that often, but not always, name something.
fn name() -> impl Strategy<Value = String> {
    select(vec!["a", "b", "c", "d.e", ""]).prop_map(str::to_owned)
}

fn implementation() -> impl Strategy<Value = String> {
    select(vec!["python", "rust", "litellm_rust", ""]).prop_map(str::to_owned)
}

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![any::<i64>().prop_map(Number::Int), any::<f64>().prop_map(Number::Float)]
}

fn scalar() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        any::<bool>().prop_map(Scalar::Bool),
        number().prop_map(Scalar::Number),
        prop_oneof![name(), ".*"].prop_map(Scalar::Text),
    ]
}

/// Every test. Notation that cannot be read is rare, because it has the whole document refused.
fn test() -> impl Strategy<Value = Test> {
    let rarely_wrong = |right: &[&'static str], wrong| {
        let right = select(right.to_vec());
        prop_oneof![50 => right, 1 => Just(wrong)].prop_map(str::to_owned)
    };
    prop_oneof![
        scalar().prop_map(Test::Equals),
        vec(scalar(), 0..20).prop_map(Test::In),
        scalar().prop_map(Test::Contains),
        name().prop_map(Test::StartsWith),
        ".*".prop_map(Test::EndsWith),
        rarely_wrong(&["a+", "^$", "(?i)A|b", ""], "(").prop_map(Test::Matches),
        number().prop_map(Test::Gt),
        number().prop_map(Test::Gte),
        number().prop_map(Test::Lt),
        number().prop_map(Test::Lte),
        any::<bool>().prop_map(Test::Exists),
        rarely_wrong(&[">=1.2, <3", "*", "^0.0.3", "~18446744073709551615"], "one").prop_map(Test::Semver),
        any::<i64>().prop_map(Test::Before),
        any::<i64>().prop_map(Test::After),
        vec(rarely_wrong(&["10.0.0.0/8", "::/0", "::ffff:10.0.0.0/104"], "10.0.0.0/33"), 0..3).prop_map(Test::Cidr),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![
        20 => (name(), test()).prop_map(|(path, test)| Condition::Attr(path, test)),
        1 => name().prop_map(Condition::Segment),
    ];
    leaf.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Condition::All),
            vec(inner.clone(), 0..3).prop_map(Condition::Any),
            inner.prop_map(|part| Condition::Not(Box::new(part))),
        ]
    })
}

/// Millionths, and numbers that are none.
fn millionths() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 0..=BUCKETS, 1 => any::<u32>()]
}

/// Times close to each other, and those at the ends of time.
fn time() -> impl Strategy<Value = i64> {
    prop_oneof![4 => -9_i64..9, 1 => any::<i64>()]
}

fn action() -> impl Strategy<Value = Action> {
    let steps = vec((time(), millionths()), 0..5);
    prop_oneof![
        implementation().prop_map(Action::Serve),
        vec((implementation(), millionths()), 0..4).prop_map(Action::Split),
        (implementation(), option::of(name()), option::of(name()), steps)
            .prop_map(|(serve, salt, unit, steps)| Action::Ramp(Ramp { serve, salt, unit, steps })),
    ]
}

fn rule() -> impl Strategy<Value = Rule> {
    (name(), any::<u32>(), condition(), action()).prop_map(|(name, line, when, then)| Rule { name, line, when, then })
}

fn flag() -> impl Strategy<Value = Flag> {
    let stage = option::weighted(0.2, select(Stage::ALL.to_vec()));
    let hash = select(vec![Hash::Xxh3, Hash::Unleash, Hash::Growthbook2, Hash::Flagd2]);
    let other = (name(), implementation()).prop_map(|(flag, serves)| Requirement { flag, serves });
    let requires = prop_oneof![4 => Just(Vec::new()), 1 => vec(other, 1..3)];
    let hashed = (option::of(".*"), option::of(name()), hash, option::weighted(0.2, name()));
    let step = (millionths(), option::of(any::<u64>())).prop_map(|(share, bake_ms)| PlanStep { share, bake_ms });
    let plan = (any::<bool>(), vec(step, 0..4))
        .prop_map(|(is_automatic, steps)| Box::new(Plan { is_automatic, steps: steps.into() }));
    let does = (vec(rule(), 0..3), option::of(action()), option::of(millionths()), option::weighted(0.2, plan));
    (prop::bool::weighted(0.1), stage, requires, hashed, does).prop_map(|(killed, stage, requires, hashed, does)| {
        let (salt, unit, hash, layer) = hashed;
        let (rules, otherwise, shadow, plan) = does;
        Flag { killed, stage, salt, unit, hash, layer, requires, rules, otherwise, shadow, plan, ..Flag::default() }
    })
}

fn layer() -> impl Strategy<Value = Layer> {
    let slots = btree_map(name(), (millionths(), millionths()), 3..5);
    (".*", option::of(name()), slots).prop_map(|(salt, unit, slots)| Layer { line: 0, salt, unit, slots })
}

fn document() -> impl Strategy<Value = Document> {
    let segments = btree_map(name(), condition(), 3..5);
    (name(), segments, btree_map(name(), layer(), 3..5), btree_map(name(), flag(), 0..5))
        .prop_map(|(unit, segments, layers, flags)| Document { revision: "r".into(), unit, segments, layers, flags })
}

fn process() -> impl Strategy<Value = Process> {
    let word = prop_oneof![
        Just(Override::Python),
        Just(Override::Rust),
        Just(Override::Shadow),
        millionths().prop_map(Override::Percent),
    ];
    let (forced, blocked) = (btree_map(name(), word, 0..2), btree_map(name(), name(), 0..2));
    let steps = btree_map(name(), 0_usize..8, 0..3);
    let states = [0.2, 0.1, 0.1].map(prop::bool::weighted);
    (states, forced, blocked, steps).prop_map(|([stale, disabled, lease_ended], forced, blocked, steps)| Process {
        stale,
        disabled,
        forced,
        blocked,
        lease_ended,
        steps,
    })
}

fn attributes() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        ".*".prop_map(Json::from),
        select(vec!["a", "1.2.3", "v2", "10.1.2.3", "::1", "2027-01-05T09:00:00Z"]).prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 20, 5, |inner| {
        let key = select(vec!["a", "b", "c", "d", "e", "d.e", ""]).prop_map(str::to_owned);
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Json::from),
            btree_map(key, inner, 0..5).prop_map(Json::from_iter),
        ]
    })
}

fn outline_of(decision: &Decision) -> Outline {
    Outline {
        serve: decision.serve.clone(),
        is_live: matches!(decision.stage, Stage::Canary | Stage::On),
        shadow_share: decision.shadow_share,
    }
}

#[test]
fn decisions_are_total_and_pure_whatever_the_rules_and_the_call() {
    let standing = prop_oneof![4 => Just(0), 1 => any::<u64>()];
    let call = (option::weighted(0.8, ".*"), attributes(), time(), vec(standing, 0..6));
    let seen = RefCell::new(BTreeMap::new());
    let mut runner = TestRunner::new(Config { cases: CASES, ..Config::default() });
    runner
        .run(&(document(), process(), call), |(document, process, (unit, attributes, now, standings))| {
            let Ok(snapshot) = Snapshot::compile(&document, &process) else { return Ok(()) };
            let call = JsonCall { unit: unit.as_deref(), attributes: &attributes, now, standings };
            for flag in (0..=snapshot.flags.len()).map(Some).chain([None]) {
                let decision = snapshot.decide(flag, &call);
                prop_assert_eq!(&decision, &snapshot.decide(flag, &call));
                prop_assert_eq!(&decision.serve, snapshot.serve(flag, &call));
                prop_assert_eq!(outline_of(&decision), snapshot.outline(flag, &call));
                let settled = flag.and_then(|flag| snapshot.settled(flag, || call.standing(flag)));
                prop_assert!(settled.is_none_or(|serve| *serve == decision.serve));
                let share = flag.and_then(|flag| snapshot.settled_share(flag, || call.standing(flag)));
                let is_control = decision.serve == Implementation::Python;
                prop_assert!(share.is_none_or(|share| is_control && share == decision.shadow_share));
                prop_assert_eq!(share.is_some(), is_control && settled.is_some());
                *seen.borrow_mut().entry(decision.reason.name()).or_insert(0) += 1;
            }
            for flag in &snapshot.flags {
                let explained = json!(snapshot.explain(&flag.name, &call));
                let decision = snapshot.decide(snapshot.position(&flag.name), &call);
                prop_assert_eq!(decision.serve.name(), &explained["decision"]["serve"]);
                prop_assert_eq!(&json!(flag.name), &json!(snapshot.describe(&flag.name))["flag"]);
            }
            Ok(())
        })
        .unwrap();
    for reason in Reason::ALL {
        assert!(seen.borrow().get(reason.name()) > Some(&(CASES / 100)), "too few to say anything: {seen:?}");
    }
}
